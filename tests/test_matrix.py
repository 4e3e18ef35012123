"""Every row of the fault matrix is injected somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration.matrix import ROWS


def test_every_row_is_hit_by_a_test() -> None:
    """A row that no test counts is a fault that nobody injects."""
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("test_*.py")]
    hits = re.compile(r"\b(?:hit|Row)\((\d+)[,)]")
    counted = {int(number) for text in texts for number in hits.findall(text)}

    assert counted == set(ROWS)
