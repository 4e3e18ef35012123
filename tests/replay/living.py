"""Lives through a log, reading the views on the way, and says what is seen in the end.

``python -m tests.replay.living FILE`` prints it as JSON; whatever the hash seed, the time zone
and the locale of the process, it prints the same.
"""

from __future__ import annotations

import json
import locale
import random
import sys
import time
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any

from projections import Drafts, History, Records
from tests.integration.workload import carry_out, plans
from tests.replay.recording import reading_of, recorded, written
from tests.replay.views import VIEWS, digests_of, rebuilt_digests_of

if TYPE_CHECKING:
    from pathlib import Path

    from journal import Journal

TRANSACTIONS = 60


def lived_through(path: Path | str, seed: int = 1) -> dict[str, Any]:
    """Return what is seen of a log in the end, after views were read now and then on the way."""
    dice = random.Random(seed)  # noqa: S311  a test's
    with recorded(path) as journal:
        views = [view(journal) for view in VIEWS]
        for plan in islice(plans(random.Random(2), "r", []), TRANSACTIONS):  # noqa: S311
            carry_out(journal, plan)
            for view in views:
                if dice.random() < 0.3:
                    view.catch_up()
        live = digests_of(journal)
        return {
            "head": journal.log.verify().head_hash,
            "live": live,
            "rebuilt": rebuilt_digests_of(journal),
            "reading": _digest(written(reading_of(journal))),
            "shown": shown(journal),
        }


def shown(journal: Journal) -> dict[str, str]:
    """Return the digest of all that the views return, but for the age of a draft."""
    records = Records(journal)
    listed = [records.list(name, include_deleted=True) for name in records.types()]
    pending = [line._replace(age_s=0) for line in Drafts(journal).pending()]
    return {
        "records": _digest(repr(listed)),
        "drafts": _digest(repr(pending)),
        "history": _digest(repr(History(journal).between())),
    }


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")
    time.tzset()
    sys.stdout.write(json.dumps(lived_through(sys.argv[1])))
