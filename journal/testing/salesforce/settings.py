"""How an org is set: what an administrator, or a contract, has decided."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Settings"]


@dataclass(slots=True)
class Settings:
    """How an org behaves; a test may change it at any time.

    Attributes:
        session_s: how long a session lasts, in seconds.
        rotates_refresh_tokens: whether a refresh token works once, and brings another.
        calls_per_day: how many calls the org takes in 24 hours.
        page_size: how many records of a query come at once.
        has_idempotency: whether the UI API heeds `Idempotency-Key`.
        takes_audit_fields: whether a create may say when and by whom it was.
        regroups: whether `composite` runs like requests together, as it may by default.
        updated_ids_most: how many ids `updated` lists.
        instance_url: where the org says that it is; where it was asked if None.
        has_moved: whether other hosts than that one are answered as those that it has left.
    """

    session_s: float = 7200.0
    rotates_refresh_tokens: bool = False
    calls_per_day: int = 100_000
    page_size: int = 2000
    has_idempotency: bool = True
    takes_audit_fields: bool = False
    regroups: bool = True
    updated_ids_most: int = 600_000
    instance_url: str | None = None
    has_moved: bool = False
