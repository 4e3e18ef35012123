"""An append-only journal of record changes: made offline, synced in order, replayed for ever.

The public names are imported when they are first asked for, so that a command line starts
quickly. This package is the write side; the views of it are in the package `projections`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journal.actions import Action, Actions
    from journal.catalogue import Catalogue, Described
    from journal.descriptions import FieldDescription, TypeDescription
    from journal.errors import JournalError
    from journal.journal import Journal
    from journal.schema import To
    from journal.sources import Sources
    from journal.staging import Batch
    from journal.values import Ref

__all__ = [
    "Action",
    "Actions",
    "Batch",
    "Catalogue",
    "Described",
    "FieldDescription",
    "Journal",
    "JournalError",
    "Ref",
    "Sources",
    "To",
    "TypeDescription",
]

_HOMES = {
    "Action": "journal.actions",
    "Actions": "journal.actions",
    "Batch": "journal.staging",
    "Catalogue": "journal.catalogue",
    "Described": "journal.catalogue",
    "FieldDescription": "journal.descriptions",
    "Journal": "journal.journal",
    "JournalError": "journal.errors",
    "Ref": "journal.values",
    "Sources": "journal.sources",
    "To": "journal.schema",
    "TypeDescription": "journal.descriptions",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name == "__version__":
        return import_module("importlib.metadata").version("draft-journal")
    if name not in _HOMES:
        message = f"module 'journal' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)
