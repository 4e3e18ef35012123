"""What the tests of the stand-in org hold: a clock that they set, and a client with a token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from journal.testing.salesforce import ValidationRule

VERSION = "v67.0"


class Hands:
    """The hands of a clock."""

    def __init__(self, ticks_s: float = 0) -> None:
        """Begin at nine on a day in spring, and move on so many seconds at each look."""
        self.now = datetime(2026, 4, 1, 9, 0, 0, tzinfo=UTC)
        self._ticks_s = ticks_s

    def __call__(self) -> datetime:
        """Tell the time."""
        self.move(seconds=self._ticks_s)
        return self.now

    def move(self, **by: float) -> None:
        """Move on."""
        self.now += timedelta(**by)


def logged_in(url: str, token: str, version: str = VERSION) -> httpx.Client:
    """Return a client with a token, for the resources of a version."""
    headers = {"Authorization": f"Bearer {token}"}
    base = f"{url}/services/data/{version}/"
    return httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=10)


def created(client: httpx.Client, sobject: str, **fields: Any) -> str:  # noqa: ANN401  JSON
    """Make a record, and return its id."""
    response = client.post(f"sobjects/{sobject}", json=fields)
    assert response.status_code == 201, response.text
    record_id: str = response.json()["id"]
    return record_id


def forbidding(sobject: str, field: str) -> ValidationRule:
    """Return a rule that a field is not 0."""
    return ValidationRule(sobject, lambda row: row[field] == "0", "no zero", field)


def code(response: httpx.Response) -> str:
    """Return the code of a refusal, seen to be one of its shape."""
    [error] = response.json()
    assert set(error) <= {"message", "errorCode", "fields", "duplicateResult"}
    found: str = error["errorCode"]
    return found
