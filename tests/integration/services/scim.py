"""SCIM: ids of the service, a look-up by a filter, lists of operations, weak ETags, 204."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.integration.services.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN: Final = "s3cret-token"  # noqa: S105  of a service on loopback that ends with the test
USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
NAMES: Final = {"title": "title", "n": "nickName", "body": "displayName"}
"""What a user has in the place of the fields of a note."""

_MAIN: Final = "import sys; from scim2_server.testserver.cli import main; sys.exit(main())"
_WRITE: Final = re.compile(r'"(POST|PATCH|DELETE) /v2/Users\S* HTTP/[\d.]+" 2\d\d')
_KINDS: Final = {"POST": "create", "PATCH": "update", "DELETE": "delete"}


class Scim:
    """A SCIM service that runs, from now on; what it did is in the log of its requests."""

    environ: Final = {"SCIM_TOKEN": TOKEN}

    def __init__(self, root: str, log: Path) -> None:
        """Speak to the service there, which writes that log."""
        self.url = f"{root}/v2"
        self._log = log
        self._begin = log.stat().st_size

    def amended(self, content: dict[str, Any]) -> dict[str, Any]:
        """Return the profile with what these users need: a name, and other names for fields."""
        own = [*content["answer"]["own"], "/userName"]
        text = '"{value.text}"'
        fields = {ours: {"name": name} for ours, name in NAMES.items()}
        fields["n"] |= {"write": text, "compare": "number"}
        body = content["create"]["body"].replace('"..."', '"userName": "{key}", "..."')
        return {
            **content,
            "answer": {**content["answer"], "own": own},
            "create": {**content["create"], "body": body},
            "types": {"User": {**content["types"]["User"], "fields": fields}},
        }

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  httpx's
        """Do what another client would."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(trust_env=False, headers=headers) as client:
            return client.request(method, f"{self.url}{path}", **options).raise_for_status()

    def _user(self, key: str) -> dict[str, Any] | None:
        asked = {"filter": f'externalId eq "{key}"'}
        hits: list[dict[str, Any]] = self.request("GET", "/Users", params=asked).json()["Resources"]
        assert len(hits) <= 1, hits
        return hits[0] if hits else None

    def create(self, key: str, fields: dict[str, Any]) -> None:
        """Create a user behind the journal's back."""
        named = {NAMES[name]: str(value) for name, value in fields.items()}
        user = {"schemas": [USER], "externalId": key, "userName": key, **named}
        self.request("POST", "/Users", json=user)

    def edit(self, key: str, fields: dict[str, Any]) -> None:
        """Edit a user behind the journal's back."""
        operations = [
            {"op": "replace", "path": NAMES[name], "value": str(value)}
            for name, value in fields.items()
        ]
        change = {"schemas": [PATCH], "Operations": operations}
        self.request("PATCH", f"/Users/{(self._user(key) or {})['id']}", json=change)

    def delete(self, key: str) -> None:
        """Delete a user behind the journal's back."""
        self.request("DELETE", f"/Users/{(self._user(key) or {})['id']}")

    def fields(self, key: str) -> dict[str, Any] | None:
        """Return what the service has, under the names of the fields of a note."""
        user = self._user(key)
        if user is None:
            return None
        shown = {ours: user[name] for ours, name in NAMES.items() if user.get(name) is not None}
        return {ours: int(value) if ours == "n" else value for ours, value in shown.items()}

    def history(self, key: str) -> list[str]:
        """Return each change that was applied since the beginning, oldest first."""
        self._user(key)  # it has one thread, and writes its log before it takes the next request
        log = self._log.read_text(encoding="utf-8")[self._begin :]
        return [_KINDS[method] for method in _WRITE.findall(log)]


@contextmanager
def scim(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run a SCIM service that keeps everything in memory; yield where it is, and its log."""
    log = folder / "scim.log"
    start = ["-u", "-c", _MAIN, "--bearer-token", TOKEN, "--port"]
    with running(lambda port: [*start, str(port)], "/v2/ServiceProviderConfig", log) as url:
        yield url, log
