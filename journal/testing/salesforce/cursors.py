"""The pages of a query: what is left of it, by a locator."""

from __future__ import annotations

from typing import Final

from journal.testing.salesforce.ids import minted_id
from journal.testing.salesforce.refusal import Complaint, Content, RefusedError

__all__ = ["Cursors"]

_KEPT: Final = 10  # as many as an org keeps open for a user


class Cursors:
    """What queries found, until nobody asks for it any more."""

    def __init__(self) -> None:
        self._found: dict[str, list[Content]] = {}
        self._made = 0

    def page(self, records: list[Content], size: int, base: str) -> Content:
        """Return the first page of what was found."""
        if len(records) <= size:
            return {"totalSize": len(records), "done": True, "records": records}
        self._made += 1
        locator = minted_id("01g", self._made)
        self._found[locator] = records
        for oldest in list(self._found)[:-_KEPT]:
            del self._found[oldest]
        return self._page(locator, 0, size, base)

    def next_page(self, locator: str, size: int, base: str) -> Content:
        """Return the page that a locator leads to.

        Raises:
            RefusedError: it leads nowhere.
        """
        name, _, start = locator.partition("-")
        if name not in self._found or not start.isdigit() or int(start) >= len(self._found[name]):
            complaint = Complaint("INVALID_QUERY_LOCATOR", "invalid query locator")
            raise RefusedError(400, complaint)
        return self._page(name, int(start), size, base)

    def _page(self, name: str, start: int, size: int, base: str) -> Content:
        records, end = self._found[name], start + size
        is_done = end >= len(records)
        more = {} if is_done else {"nextRecordsUrl": f"{base}/query/{name}-{end}"}
        return {"totalSize": len(records), "done": is_done, **more, "records": records[start:end]}
