"""The token endpoint: client credentials, signed assertions, refresh tokens."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.refusal import Answer, Content
from journal.testing.salesforce.values import shown_moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.testing.salesforce.state import State
    from journal.testing.salesforce.tokens import ConnectedApp

__all__ = ["GrantError", "identity", "revoked", "token_for"]

JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCES: Final = ("https://login.salesforce.com", "https://test.salesforce.com")
_EARLY: Final = timedelta(minutes=5)
_JWT_PARTS: Final = 3


class GrantError(Exception):
    """A request for a token that is refused."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.answer = Answer(400, {"error": error, "error_description": description})


def token_for(
    state: State, form: Mapping[str, str], headers: Mapping[str, str], instance_url: str
) -> Answer:
    """Answer a request for a token.

    Raises:
        GrantError: it is refused.
    """
    refresh_token = None
    match form.get("grant_type"):
        case "client_credentials":
            app = _authenticated(state, form, headers)
            username = app.username
        case "refresh_token":
            app = _authenticated(state, form, headers)
            username, refresh_token = _refreshed(state, form.get("refresh_token", ""), app)
        case grant if grant == JWT_BEARER:
            app, username = _asserted(state, form.get("assertion", ""), instance_url)
        case _:
            raise GrantError("unsupported_grant_type", "grant type not supported")
    user_id = state.add_user(username)
    token = state.tokens.issue(user_id, app.client_id)
    document = {
        "access_token": token,
        "signature": base64.b64encode(token.encode()).decode(),
        "scope": "api refresh_token" if refresh_token else "api",
        "instance_url": instance_url,
        "id": f"{instance_url}/id/{state.org_id}/{user_id}",
        "token_type": "Bearer",
        "issued_at": str(int(state.now().timestamp() * 1000)),
    }
    return Answer(200, {**document, "refresh_token": refresh_token} if refresh_token else document)


def _refreshed(state: State, token: str, app: ConnectedApp) -> tuple[str, str | None]:
    """Return the user of a refresh token, and the next token where the org rotates them."""
    found = state.tokens.refreshed(token, app.client_id)
    if found is None:
        username = state.tokens.reused(token, app.client_id)
        if username is not None:
            state.tokens.end_of(state.add_user(username), app.client_id)
        raise GrantError("invalid_grant", "expired access/refresh token")
    return found


def revoked(state: State, form: Mapping[str, str]) -> Answer:
    """Answer a request to end a session, or to take back a refresh token."""
    state.tokens.end(form.get("token", ""))
    return Answer(200)


def identity(state: State, user_id: str, instance_url: str) -> Answer:
    """Answer who is logged in."""
    username = next(name for name, each in state.users.items() if each == user_id)
    document: Content = {
        "id": f"{instance_url}/id/{state.org_id}/{user_id}",
        "user_id": user_id,
        "sub": f"{instance_url}/id/{state.org_id}/{user_id}",
        "organization_id": state.org_id,
        "username": username,
        "preferred_username": username,
        "display_name": username.partition("@")[0],
        "email": username,
        "active": True,
        "last_modified_date": shown_moment(state.now()),
        "urls": {"rest": f"{instance_url}/services/data/v{{version}}/"},
    }
    return Answer(200, document)


def _authenticated(
    state: State, form: Mapping[str, str], headers: Mapping[str, str]
) -> ConnectedApp:
    """Return the app that a request proves to come from, by its form or its head."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    kind, _, encoded = headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise GrantError("invalid_client", "invalid client credentials") from None
    app = state.apps.get(client_id)
    if app is None:
        raise GrantError("invalid_client_id", "client identifier invalid")
    if secret != app.client_secret:
        raise GrantError("invalid_client", "invalid client credentials")
    return app


def _asserted(state: State, assertion: str, instance_url: str) -> tuple[ConnectedApp, str]:
    """Return the app and the user that a signed assertion names."""
    parts = assertion.split(".")
    try:
        head, claims = (json.loads(_decoded(part)) for part in parts[:2])
        signature = _decoded(parts[2])
        issuer, subject = str(claims["iss"]), str(claims["sub"])
        ends = datetime.fromtimestamp(float(claims["exp"]), state.now().tzinfo)
        algorithm = head["alg"]
    except (ValueError, LookupError, TypeError, OverflowError):
        raise GrantError("invalid_grant", "invalid assertion") from None
    app = state.apps.get(issuer)
    if app is None:
        raise GrantError("invalid_client_id", "client identifier invalid")
    if algorithm != "RS256" or len(parts) != _JWT_PARTS or app.public_key is None:
        raise GrantError("invalid_grant", "invalid assertion")
    if not _is_signed(app.public_key, ".".join(parts[:2]).encode(), signature):
        raise GrantError("invalid_grant", "invalid assertion")
    if claims.get("aud") not in {*AUDIENCES, instance_url}:
        raise GrantError("invalid_grant", "audience is invalid")
    if not state.now() < ends <= state.now() + _EARLY:
        raise GrantError("invalid_grant", "expired authorization code")
    if subject not in state.users:
        raise GrantError("invalid_grant", "user hasn't approved this consumer")
    return app, subject


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _is_signed(public_key: str, signed: bytes, signature: bytes) -> bool:
    """Say whether a signature is right; without `cryptography` nobody can know, and it is."""
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  may be missing
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415
        from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415
    except ImportError:
        return True
    pem = public_key.encode()
    is_certificate = b"CERTIFICATE" in pem
    key = (
        load_pem_x509_certificate(pem).public_key()
        if is_certificate
        else serialization.load_pem_public_key(pem)
    )
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
