"""An entry point: with it a service accepts drafts with at-most-once effect, over ASGI.

A draft comes with a key, which it has for ever, and with its number in the journal and that of
the one before it. Both are stored in the transaction of the effect itself, together with the
answer: a draft that arrives once more is answered with what is stored, and changes nothing.

It needs nothing but a database: no framework, no HTTP library and nothing of the sender's side.
"""

from journal.receiver.app import Receiver
from journal.receiver.database import DatabaseReceipts
from journal.receiver.messages import Answered, DeclinedError, Received
from journal.receiver.receipts import Receipt, Receipts

__all__ = [
    "Answered",
    "DatabaseReceipts",
    "DeclinedError",
    "Receipt",
    "Receipts",
    "Received",
    "Receiver",
]
