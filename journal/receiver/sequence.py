"""What becomes of a draft by what is known of its key and of its journal; pure.

- N1. A key that is known is answered with what is stored, and changes nothing.
- N2. A draft is applied only where all is applied that its sender knows to be.
- N3. A draft is applied only before any that was sent after it.

```
key known    the same content      the stored answer; where it has expired, 409
             another content       422
key unknown  previous > last       425: something is missing here, and comes first, or is lost
             number <= last        409: it is late, or the journal was set back
             otherwise             applied; its number is the last one now
```

Numbers have gaps, for only what is sent has one; that the sender says the one before is what
makes the sequence gapless. A draft that was discarded, or refused, was never the one before.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from journal.receiver.messages import problem_of

if TYPE_CHECKING:
    from journal.receiver.messages import Answered, Received
    from journal.receiver.receipts import Receipt

GAP_RETRY_S: Final = 5
"""After how many seconds a draft that comes too early may be sent again."""
SOON_S: Final = 1


def replayed(received: Received, receipt: Receipt) -> Answered:
    """Return what a draft is answered whose key is known (N1)."""
    if receipt.fingerprint != received.fingerprint:
        return problem_of(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "idempotency-key-already-used",
            f"the Idempotency-Key {received.key} was used for another method, path or body",
        )
    if receipt.answer is None:
        return problem_of(
            HTTPStatus.CONFLICT,
            "answer-expired",
            "it was applied, and its answer is kept no longer: read what has become of it",
            received_at=receipt.received_at,
        )
    headers = {**receipt.answer.headers, "Idempotent-Replayed": "true"}
    return receipt.answer._replace(headers=headers)


def out_of_turn(received: Received, last: int | None, *, admits_midway: bool) -> Answered | None:
    """Return why a draft is not applied now, or ever; None where it is its turn (N2, N3).

    Args:
        received: of a journal, and not known.
        last: the number of that journal that was applied last; None where none was.
        admits_midway: whether a journal that is not known may begin in its middle.
    """
    if last is None and admits_midway:
        return None
    known = last or 0
    facts: dict[str, Any] = {"journal": received.journal, "number": received.number}
    facts |= {"previous": received.previous, "last": last}
    if received.previous > known:
        return problem_of(
            HTTPStatus.TOO_EARLY,
            "previous-missing",
            f"the draft with number {received.previous} has not been applied here; "
            f"the last one was {'none' if last is None else last}",
            {"Retry-After": str(GAP_RETRY_S)},
            **facts,
        )
    if received.number <= known:
        return problem_of(
            HTTPStatus.CONFLICT,
            "idempotency-number-mismatch",
            f"the number {received.number} is not after {known}, which was applied last: "
            "it is a late copy, or the journal was set back",
            **facts,
        )
    return None


def outstanding(key: str) -> Answered:
    """Return what is answered while the first request with a key is running."""
    return problem_of(
        HTTPStatus.CONFLICT,
        "idempotency-request-outstanding",
        f"a request with the Idempotency-Key {key} is outstanding",
        {"Retry-After": str(SOON_S)},
    )
