"""The table, and the same as JSON."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.bench.race import Result

_PAGES = 4
"""How many pages of 4096 bytes an append of one event writes."""
_SYNCS = 300


def facts(folder: Path) -> dict[str, str | int]:
    """Return what the figures depend on."""
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "fsyncs_per_s": round(1 / _sync_s(folder / "fsync.bin")),
    }


def _sync_s(path: Path) -> float:
    """Return the median seconds of writing four pages over old ones and flushing them."""
    seconds = []
    with path.open("wb", buffering=0) as file:
        for number in range(_SYNCS + 1):
            file.seek(0)
            start = perf_counter()
            file.write(bytes(4096 * _PAGES))
            os.fsync(file.fileno())
            if number:
                seconds.append(perf_counter() - start)
    return median(seconds)


def as_json(found: Mapping[str, str | int], results: Sequence[Result]) -> str:
    """Return the facts and the results as one JSON object."""
    rows = [result._asdict() for result in results]
    return json.dumps({"machine": found, "results": rows}, indent=2)


def as_table(found: Mapping[str, str | int], results: Sequence[Result]) -> str:
    """Return the facts and the results for people."""
    python, sqlite, system, fsyncs = found.values()
    lines = [
        f"Python {python}, SQLite {sqlite}, {system}, {fsyncs:,} fsyncs/s",
        "",
        f"   {'':<52}{'ours':>12}{'reference':>12}{'ratio':>8}  {'target'}",
    ]
    lines += map(_line, results)
    missed = sum(result.is_met is False for result in results)
    targets = sum(result.is_met is not None for result in results)
    return "\n".join([*lines, "", f"{targets - missed} of {targets} targets met"])


def _line(result: Result) -> str:
    verdict = {True: "met", False: "MISSED", None: ""}[result.is_met]
    ours, reference = (_figure(value, result.unit) for value in (result.ours, result.reference))
    return (
        f"{result.key}  {result.name:<52}{ours:>12}{reference:>12}"
        f"{result.ratio:>8.2f}  {result.target:<22}{verdict}"
    ).rstrip()


def _figure(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if unit != "/s" else f"{value:,.0f}/s"
