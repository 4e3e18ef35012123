"""What a test hands over: refused where it cannot be meant, for it would be passed over."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import isabstract, isasyncgen, isawaitable, iscoroutine, isgenerator

from journal import Journal
from projections import Projection

__all__ = ["check_done", "check_journal", "check_made", "check_services", "check_views"]


def check_views(views: Iterable[object]) -> None:
    """Refuse what is no class of a projection.

    Raises:
        TypeError: one is none.
    """
    if isinstance(views, type | str):
        raise TypeError(f"views is {views!r}; it takes several: (*VIEWS, Totals), for instance")
    for view in views:
        if not (isinstance(view, type) and issubclass(view, Projection)):
            raise TypeError(f"{view!r} is no class of a projection; name the class, as Totals")
        if isabstract(view) or not (hasattr(view, "name") and hasattr(view, "tables")):
            said = f"{view.__qualname__} is no whole projection"
            raise TypeError(f"{said}; give it a name, tables and apply()")


def check_journal(journal: object) -> None:
    """Refuse what is no journal.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(journal, Journal):
        raise TypeError(f"{journal!r} is no journal; open it first: with Journal(path) as journal")


def check_services(services: object) -> None:
    """Refuse what has no state to be kept.

    Raises:
        TypeError: it has none.
    """
    if not isinstance(services, Iterable):
        raise TypeError(f"services takes several, and was handed {services!r}; write [service]")
    for service in services:
        if not (hasattr(service, "save") and hasattr(service, "restore")):
            raise TypeError(f"{service!r} has no save() and restore(saved), so it is no service")


def check_done(what: str, done: object) -> None:
    """Refuse what has only been begun, and would not be done.

    Raises:
        TypeError: it would not.
    """
    if not (isawaitable(done) or isgenerator(done) or isasyncgen(done)):
        return
    if iscoroutine(done):
        done.close()  # nobody is to be warned as well
    how = "yields" if isgenerator(done) else "is async"
    remedy = "let it be a plain function" if isgenerator(done) else "call asyncio.run() in it"
    raise TypeError(f"{what} {how}, so nothing of it was done; {remedy}")


def check_made(found: object) -> None:
    """Heed what a check returns.

    Raises:
        AssertionError: it says that something is wrong, and does not raise.
        TypeError: it has only been begun.
    """
    __tracebackhide__ = True
    check_done("check", found)
    if found is False:
        raise AssertionError("check returned False")
