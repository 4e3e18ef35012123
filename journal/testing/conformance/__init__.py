"""What is asked of a remote, and of the record service behind it, before drafts are trusted to it.

`CHECKS` are the questions; each is put to a `Subject`. They need no test runner: with pytest, the
module `collecting` makes a test of each.
"""

from journal.testing.conformance.checks import CHECKS
from journal.testing.conformance.subject import Check, NonconformingError, NotToldError, Subject

__all__ = ["CHECKS", "Check", "NonconformingError", "NotToldError", "Subject"]
