"""The settings of an org, as an environment says them.

Secrets stay where they are, and are named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journal.errors import ProfileError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX: Final = "SALESFORCE_"


def content_of(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that an environment holds; secrets stay there, and are named.

    Raises:
        ProfileError: it does not say where the org is, or whose secret it has.
    """

    def said(name: str) -> str | None:
        return environ.get(f"{_PREFIX}{name}") or None

    if said("URL") is None:
        hint = "such as https://acme.my.salesforce.com"
        raise ProfileError("url", f"the environment has no {_PREFIX}URL", hint=hint)
    members = {
        "url": said("URL"),
        "api_version": said("API_VERSION"),
        "key": said("KEY_FIELD"),
        "refresh_token_file": said("REFRESH_TOKEN_FILE"),
    }
    content: dict[str, Any] = {name: text for name, text in members.items() if text is not None}
    secrets = {
        "client_secret": "CLIENT_SECRET",
        "refresh_token": "REFRESH_TOKEN",
        "private_key": "PRIVATE_KEY",
    }
    oauth = {k: f"{{env:{_PREFIX}{name}}}" for k, name in secrets.items() if said(name)}
    plain = {"client_id": said("CLIENT_ID"), "subject": said("USERNAME")}
    if oauth:
        if plain["client_id"] is None:
            hint = "it is the consumer key of the app"
            problem = f"the environment has no {_PREFIX}CLIENT_ID"
            raise ProfileError("auth.oauth.client_id", problem, hint=hint)
        wanted = {name: text for name, text in plain.items() if text is not None}
        if "private_key" not in oauth:
            wanted.pop("subject", None)
        content["auth"] = {"oauth": {**wanted, **oauth}}
    elif said("ACCESS_TOKEN"):
        content["auth"] = {"bearer": f"{{env:{_PREFIX}ACCESS_TOKEN}}"}
    return content
