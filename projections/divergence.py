"""What is said of a view that is another when its log is replayed in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from journal.events import Entry


class Divergence(NamedTuple):
    """A view that is another when the log is replayed in another way."""

    view: str
    """The name of the projection."""
    way: str
    """How the log was replayed, in words."""
    entry: Entry | None
    """The first event after which the view is another; None where no event made it so."""
    path: str
    """The JSON path of the first difference: ``$.records["Account:1"].fields.Name``."""
    expected: Any
    """What is there when the log is replayed entry by entry."""
    found: Any
    expected_row: Any
    """The row with the difference, by its columns; None where there is none."""
    found_row: Any

    @property
    def sentence(self) -> str:
        """What differs, where, and since which event."""
        said = f"the view {self.view} is another {self.way}: "
        if self.path:
            said += f"{self.path} is {self.found!r}, and {self.expected!r} entry by entry"
        else:
            said += "it has another digest, and did not have it a second time"
        entry = self.entry
        if entry is None:
            return f"{said}; no event made it so"
        event = type(entry.event).__name__
        return (
            f"{said}; first after event {entry.position}, {event} of {entry.stream} "
            f"({entry.event_id})"
        )
