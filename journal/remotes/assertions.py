"""Assertions that a key of ours has signed, by which a token is asked for (RFC 7523); no I/O.

The only place that imports cryptography, which is an extra: `draft-journal[salesforce]`.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Final, NamedTuple

from journal.errors import ProfileError

VALID_S: Final = 180
"""How long an assertion is valid, in seconds; longer than three minutes, Salesforce takes none."""
_KEY: Final = "auth.oauth.private_key"
_LEAST_BITS: Final = 2048


class Assertion(NamedTuple):
    """Who asks for a token, for whom and of whom."""

    issuer: str
    subject: str
    audience: str
    now_s: int
    """The time, in seconds since 1970 in UTC."""


def signed(assertion: Assertion, private_key: str) -> str:
    """Return the assertion as a JWT that is signed by RS256.

    Args:
        assertion: what it says.
        private_key: an RSA key, in PEM, that no password protects.

    Raises:
        ProfileError: it is no such key, or cryptography is not installed.
    """
    try:
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415
    except ImportError:
        raise ProfileError(
            _KEY, "needs a library that signs", hint="install draft-journal[salesforce]"
        ) from None
    claims = {
        "iss": assertion.issuer,
        "sub": assertion.subject,
        "aud": assertion.audience,
        "exp": assertion.now_s + VALID_S,
    }
    # An error of the library may quote the key: so none is chained to ours.
    try:
        key = serialization.load_pem_private_key(private_key.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise ProfileError(
            _KEY,
            f"what is there is no RSA key in PEM of {_LEAST_BITS} bits or more without a password",
            hint="set it to the whole content of the file, line breaks included",
        )
    content = f"{_encoded({'alg': 'RS256', 'typ': 'JWT'})}.{_encoded(claims)}"
    signature = key.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{content}.{_base64(signature)}"


def _encoded(members: dict[str, object]) -> str:
    return _base64(json.dumps(members, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
