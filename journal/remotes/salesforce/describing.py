"""An org as a record service: the profiles that its settings become; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from journal.remotes.profiles import ALL, Profile

if TYPE_CHECKING:
    from journal.remotes.salesforce.settings import How, Settings

KEPT: Final = ("Id", "LastModifiedDate")
"""The fields that are asked for with every read."""
REMEMBERED_S: Final = 29 * 86_400.0
"""How long the UI API surely knows a key of a request again; it says 30 days."""
_JSON: Final = "application/json"
_NOTHING: Final = {"fields": "none", "key": "none", "version": "none"}
_ROW: Final = "/sobjects/{type}/{id}"
_BY_KEY: Final = "/sobjects/{type}/{type.key}/{key}"
_NO_KEY: Final = "none"


def described(settings: Settings, how: How) -> Profile:
    """Return the profile of an org whose records are created in that way."""
    content: dict[str, Any] = {
        "url": f"{settings.url}/services/data/v{settings.api_version}",
        "allow_insecure": settings.allow_insecure,
        "timeout_s": settings.timeout_s,
        "max_bytes": settings.max_bytes,
        "auth": settings.auth,
        "conflicts": settings.conflicts,
        "answer": {
            "id": "/Id",
            "id_type": "salesforce",
            "compare": "lenient",
            "version": "/LastModifiedDate",
            "own": ["/attributes"],
        },
        "create": _create(how),
        "update": {"path": _ROW, "media_type": _JSON, "answer": {"id": "/id", **_NOTHING}},
        "delete": {"path": _ROW, "answer": {"id": "/id", **_NOTHING}},
        "read": {
            "path": f"{_ROW}?fields={','.join(KEPT)},{{names.joined}}",
            "after_writes": settings.reads_back,
        },
        "version": {
            "condition": "If-Unmodified-Since",
            "on": ["update"],
            "form": "http-date",
            "is_weak": True,
        },
        "types": {name: _type(settings, name) for name in settings.types},
    }
    if settings.key or how != "upsert":
        content["types"][ALL] = {"words": {"key": settings.key or _NO_KEY}}
    if how == "upsert":
        content["answer"]["key"] = "/{type.key}"
        content["read"]["key_path"] = _BY_KEY
        # A key that ends like a file's name is said not to be found.
        content["key"] = {"pattern": "[A-Za-z0-9_-]{1,255}"}
    return Profile.of(content)


def _type(settings: Settings, name: str) -> dict[str, Any]:
    words = {"key": settings.key_of(name) or _NO_KEY}
    return {
        "name": settings.object_of(name),
        "words": words,
        "fields": settings.types[name].fields,
    }


def _create(how: How) -> dict[str, Any]:
    match how:
        case "upsert":
            return {
                "method": "PATCH",
                "path": _BY_KEY,
                "media_type": _JSON,
                "answer": {"id": "/id", **_NOTHING},
            }
        case "ui":
            return {
                "method": "POST",
                "path": "/ui-api/records",
                "headers": {"Idempotency-Key": "{draft.uuid}"},
                "body": '{"apiName": "{type}", "fields": "{fields}"}',
                "is_repeatable": True,
                "remembered_s": REMEMBERED_S,
                "answer": {"id": "/id", **_NOTHING},
            }
        case _:
            return {
                "method": "POST",
                "path": "/sobjects/{type}",
                "on_doubt": "hold",
                "answer": {"id": "/id", **_NOTHING},
            }
