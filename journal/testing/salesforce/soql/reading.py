"""From a query as text to what it says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from journal.testing.salesforce.soql.sentence import (
    Among,
    Both,
    Column,
    Compared,
    Condition,
    Constant,
    Either,
    Not,
    Order,
    Query,
)
from journal.testing.salesforce.soql.words import (
    Word,
    day_of,
    malformed,
    text_of,
    time_named,
    words_of,
)

if TYPE_CHECKING:
    from journal.testing.salesforce.refusal import RefusedError
    from journal.testing.salesforce.soql.sentence import Sign

__all__ = ["read_query"]

_SIGNS: Final[dict[str, Sign]] = {
    "=": "=",
    "!=": "!=",
    "<>": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "LIKE": "LIKE",
}
_FIELDS: Final[dict[str, Literal["all", "standard", "custom"]]] = {
    "ALL": "all",
    "STANDARD": "standard",
    "CUSTOM": "custom",
}
_FUNCTIONS: Final[dict[str, Literal["count", "min", "max"]]] = {
    "COUNT": "count",
    "MIN": "min",
    "MAX": "max",
}
_AFTER: Final = (
    "FROM",
    "WHERE",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "ALL",
    "ASC",
    "DESC",
    "NULLS",
    "AND",
    "OR",
)


def read_query(text: str, now: datetime) -> Query:
    """Return what a query says.

    Args:
        text: the query.
        now: when it is asked, for words like `TODAY`.

    Raises:
        RefusedError: it cannot be read.
    """
    reader = _Reader(text, now)
    query = reader.query()
    reader.expect_end()
    return query


class _Reader:
    def __init__(self, text: str, now: datetime) -> None:
        self._text, self._now = text, now
        self._words = words_of(text)
        self._at = 0

    # --- words ---------------------------------------------------------------------------

    @property
    def _word(self) -> Word:
        return self._words[self._at]

    def _take(self) -> Word:
        word = self._word
        if word.kind != "end":
            self._at += 1
        return word

    def _takes(self, *words: str) -> bool:
        """Take the next word where it is one of these."""
        if not self._word.says(*words):
            return False
        self._take()
        return True

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            raise self._unexpected(f"expecting '{word}'")

    def _name(self) -> str:
        if self._word.kind != "name":
            raise self._unexpected("expecting a name")
        return self._take().text

    def _whole(self) -> int:
        word = self._take()
        if word.kind != "number" or not word.text.isdigit():
            raise malformed(self._text, word.at, "expecting a whole number")
        return int(word.text)

    def _unexpected(self, why: str) -> RefusedError:
        return malformed(self._text, self._word.at, f"unexpected token: '{self._word.text}', {why}")

    def expect_end(self) -> None:
        """Refuse what stands after the query.

        Raises:
            RefusedError: something does.
        """
        if self._word.kind != "end":
            raise self._unexpected("expecting the end")

    # --- the query -----------------------------------------------------------------------

    def query(self) -> Query:
        """Return the query that begins here."""
        self._expect("SELECT")
        counts = self._counts()
        columns = () if counts else self._columns()
        self._expect("FROM")
        source = self._name()
        if self._word.kind == "name" and not self._word.says(*_AFTER):
            raise self._unexpected("the stand-in does not know names for objects")
        where = self._condition() if self._takes("WHERE") else None
        orders = self._orders() if self._takes("ORDER") else ()
        limit = self._whole() if self._takes("LIMIT") else None
        offset = self._whole() if self._takes("OFFSET") else 0
        has_all_rows = self._takes("ALL")
        if has_all_rows:
            self._expect("ROWS")
        return Query(columns, source, where, orders, limit, offset, counts, has_all_rows)

    def _counts(self) -> bool:
        """Take `COUNT()`, which stands alone."""
        here = self._words[self._at : self._at + 3]
        is_count = [word.text.upper() for word in here] == ["COUNT", "(", ")"]
        self._at += len(here) if is_count else 0
        return is_count

    def _columns(self) -> tuple[Column, ...]:
        columns = [self._column()]
        while self._takes(","):
            columns.append(self._column())
        return tuple(columns)

    def _column(self) -> Column:
        at = self._word.at
        if self._takes("("):
            children = self.query()
            self._expect(")")
            return Column(kind="children", children=children, at=at)
        if self._word.says("FROM"):
            raise self._unexpected("expecting a name")
        name = self._name()
        if not self._takes("("):
            return Column(tuple(name.split(".")), at=at)
        inner = self._name()
        self._expect(")")
        if name.upper() == "FIELDS" and inner.upper() in _FIELDS:
            return Column(kind=_FIELDS[inner.upper()], at=at)
        if name.upper() not in _FUNCTIONS:
            raise malformed(self._text, at, f"the stand-in does not know {name}()")
        is_named = self._word.kind == "name" and not self._word.says("FROM")
        alias = self._name() if is_named else ""
        return Column(tuple(inner.split(".")), _FUNCTIONS[name.upper()], alias, at=at)

    def _orders(self) -> tuple[Order, ...]:
        self._expect("BY")
        orders = [self._order()]
        while self._takes(","):
            orders.append(self._order())
        return tuple(orders)

    def _order(self) -> Order:
        path = tuple(self._name().split("."))
        is_descending = self._takes("DESC")
        if not is_descending:
            self._takes("ASC")
        has_nulls_last = False
        if self._takes("NULLS"):
            has_nulls_last = self._takes("LAST")
            if not has_nulls_last:
                self._expect("FIRST")
        return Order(path, is_descending, has_nulls_last)

    # --- conditions ----------------------------------------------------------------------

    def _condition(self) -> Condition:
        """Return a condition; AND and OR are mixed only in brackets."""
        parts = [self._negated()]
        word = self._word
        if not word.says("AND", "OR"):
            return parts[0]
        while self._takes(word.text.upper()):
            parts.append(self._negated())
        if self._word.says("AND", "OR"):
            raise self._unexpected("AND and OR are mixed without brackets")
        return Both(tuple(parts)) if word.says("AND") else Either(tuple(parts))

    def _negated(self) -> Condition:
        if self._takes("NOT"):
            return Not(self._negated())
        if self._takes("("):
            inner = self._condition()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        path = tuple(self._name().split("."))
        if self._takes("NOT"):
            self._expect("IN")
            return Not(self._among(path))
        if self._takes("IN"):
            return self._among(path)
        word = self._take()
        sign = _SIGNS.get(word.text.upper()) if word.kind in {"name", "sign"} else None
        if sign is None:
            raise malformed(self._text, word.at, f"unexpected token: '{word.text}'")
        return Compared(path, sign, self._value(for_like=sign == "LIKE"))

    def _among(self, path: tuple[str, ...]) -> Among:
        self._expect("(")
        if self._word.says("SELECT"):
            query = self.query()
            self._expect(")")
            return Among(path, query)
        values = [self._constant()]
        while self._takes(","):
            values.append(self._constant())
        self._expect(")")
        return Among(path, tuple(values))

    def _constant(self) -> Constant:
        at, value = self._word.at, self._value()
        if isinstance(value, tuple):
            raise malformed(self._text, at, "a span of time does not stand in a list")
        return value

    def _value(self, *, for_like: bool = False) -> Constant | tuple[datetime, datetime]:
        word = self._take()
        match word.kind:
            case "text":
                return text_of(word.text, for_like=for_like)
            case "number":
                return float(word.text) if "." in word.text else int(word.text)
            case "moment" | "day":
                return self._time(word)
            case "name" if word.text.upper() in {"TRUE", "FALSE", "NULL"}:
                return {"TRUE": True, "FALSE": False, "NULL": None}[word.text.upper()]
            case "name":
                span = time_named(word.text, self._now)
                if span is not None:
                    return span
            case _:
                pass
        raise malformed(self._text, word.at, f"unexpected token: '{word.text}', expecting a value")

    def _time(self, word: Word) -> Constant:
        try:
            if word.kind == "moment":
                return datetime.fromisoformat(word.text).astimezone(UTC)
        except (ValueError, OverflowError):
            day = None
        else:
            day = day_of(word.text)
        if day is None:
            raise malformed(self._text, word.at, f"invalid date or time: {word.text}")
        return day
