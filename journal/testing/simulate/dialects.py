"""How the model service speaks, as profiles: each is another way to be certain, or not.

- ``etag``: our key is the id, and every write is conditional on an ETag.
- ``keyed``: the service gives the ids, finds records by our key, has versions in the body, and
  remembers the keys of requests for a while.
- ``plain``: our key is the id, and nothing is conditional but a create: what is there is read
  and compared first. A request that is delivered late does harm here that no client can mend.
- ``together``: as ``etag``, and drafts go together, in order, up to the first that fails.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from journal.policies import Policies
from journal.remotes.profiles import Profile

if TYPE_CHECKING:
    from journal.testing.simulate.scenario import Knobs

URL: Final = "https://service.example"
DRAFT: Final = "Idempotency-Key"
"""The header that tells the oracle which draft a request is of; not every service heeds it."""
TYPES: Final = ("Account", "Visit", "Part")
_TOLD: Final = {"headers": {DRAFT: "{draft}"}}
_CHANGES: Final = {
    "path": "/{type}?since={since}&limit=3",
    "items": "/changes",
    "first": "0",
    "since": "/n",
    "deleted": "/deleted",
    "next": "/next",
}
_BY_KEY: Final[dict[str, Any]] = {
    "answer": {"key": "/id"},
    "create": _TOLD,
    "update": _TOLD,
    "delete": _TOLD,
    "changes": {
        **_CHANGES,
        "answer": {"fields": "/fields", "key": "/id", "version": "/etag"},
    },
}
_DIALECTS: Final[dict[str, dict[str, Any]]] = {
    "etag": _BY_KEY,
    "together": _BY_KEY,
    "plain": {
        **_BY_KEY,
        "answer": {"key": "/id", "version": "none"},
        "changes": {**_CHANGES, "answer": {"fields": "/fields", "key": "/id", "version": "none"}},
    },
    "keyed": {
        "answer": {"id": "/sid", "key": "/key", "version": "/version"},
        "create": {
            **_TOLD,
            "method": "POST",
            "path": "/{type}",
            "body": '{"key": "{key}", "...": "{fields}"}',
            "is_repeatable": True,
        },
        "find": {"path": "/{type}?key={key}", "items": "/found"},
        "update": _TOLD,
        "delete": _TOLD,
        "changes": {
            **_CHANGES,
            "answer": {"fields": "/fields", "id": "/sid", "key": "/key", "version": "/version"},
        },
    },
}


@cache
def _profile(dialect: str, policy: str, remembered_s: float, timeout_s: float) -> Profile:
    content = dict(_DIALECTS[dialect])
    if dialect == "keyed":
        content["create"] = {**content["create"], "remembered_s": remembered_s}
    named: dict[str, dict[str, str]] = {name: {} for name in TYPES}
    profile = Profile.of({"url": URL, "timeout_s": timeout_s, "types": named, **content})
    return profile.model_copy(update={"conflicts": Policies(default=policy)})  # type: ignore[arg-type]


def profile_of(knobs: Knobs) -> Profile:
    """Return the profile of the model service, as the knobs have it."""
    return _profile(knobs.dialect, knobs.policy, knobs.remembered_s, knobs.request_s)
