"""Who asks, and how."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Caller"]


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf something is done, and how.

    Attributes:
        user_id: the user.
        request: the number of the request, or None within the process.
        version: of the API that was asked.
        is_admin: whether sharing and permissions are passed over.
        allow_save: whether a duplicate is saved where its rule lets it be.
        shows_details: whether the fields of what it duplicates are shown.
    """

    user_id: str
    request: int | None = None
    version: int = 67
    is_admin: bool = False
    allow_save: bool = False
    shows_details: bool = False
