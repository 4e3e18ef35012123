"""Answers by `Idempotency-Key`: the UI API gives the one that it gave before, for 30 days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from journal.testing.salesforce.refusal import Answer, Complaint, RefusedError

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["HEADER", "Keys", "not_supported"]

HEADER: Final = "idempotency-key"
LIFE: Final = timedelta(days=30)
BYTES_MOST: Final = 9 * 1024 * 1024
_UUID4: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
_FIRST_ERROR: Final = 400


@dataclass(slots=True)
class _Kept:
    user_id: str
    request: Hashable
    at: datetime
    answer: Answer | None = None


class Keys:
    """The keys of 30 days, with what was answered."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self.ending: set[str] = set()  # whose first attempt has been applied and is not answered

    def earlier(self, key: str, user_id: str, request: Hashable, now: datetime) -> Answer | None:
        """Return what was answered to a request with that key, or None where it is new.

        Raises:
            RefusedError: the key is none, or is not for this request.
        """
        if not _UUID4.fullmatch(key):
            message = "The Idempotency-Key header has to be a UUID of version 4."
            raise RefusedError(400, Complaint("INVALID_IDEMPOTENCY_KEY", message))
        kept = self._kept.get(key.lower())
        if kept is None or now - kept.at >= LIFE:
            self._kept[key.lower()] = _Kept(user_id, request, now)
            return None
        if kept.user_id != user_id:
            message = "The Idempotency-Key was used by another user."
            raise RefusedError(409, Complaint("IDEMPOTENCY_KEY_CONFLICT", message))
        if kept.request != request:
            message = "The Idempotency-Key was used for another request."
            raise RefusedError(422, Complaint("IDEMPOTENCY_KEY_REUSED", message))
        if key.lower() in self.ending:
            message = "The first request with this Idempotency-Key is still being processed."
            refused = RefusedError(409, Complaint("IDEMPOTENCY_KEY_IN_PROGRESS", message))
            refused.headers = {"Retry-After": "1"}
            raise refused
        return kept.answer

    def keep(self, key: str, answer: Answer, size: int) -> None:
        """Note what is answered; a refusal, or what is too large, leaves the key unused."""
        if answer.status >= _FIRST_ERROR or size > BYTES_MOST:
            self._kept.pop(key.lower(), None)
        else:
            self._kept[key.lower()].answer = answer


def not_supported(code: str = "IDEMPOTENCY_NOT_SUPPORTED") -> RefusedError:
    """Return the refusal of a key where none is heeded."""
    message = "The Idempotency-Key header is not supported for this resource."
    if code == "IDEMPOTENCY_FEATURE_NOT_ENABLED":
        message = "The idempotency feature is not enabled for this org."
    return RefusedError(400, Complaint(code, message))
