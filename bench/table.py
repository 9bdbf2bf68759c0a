"""The rows as one table for people and one file for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.case import Row

COLUMNS = ("workload", "size", "threads", "library ms", "fuse ms", "ratio", "bar", "")


def table(rows: Iterable[Row]) -> Table:
    """One line a row, met or missed at the end."""
    found = Table(title="fuse beside the libraries, in one process, medians of interleaved rounds")
    for name in COLUMNS:
        found.add_column(name, justify="left" if name in ("workload", "size", "bar", "") else "right")
    for row in rows:
        found.add_row(*cells(row), style="red" if row.met is False else None)
    return found


def cells(row: Row) -> tuple[str, ...]:
    """The texts of a row's columns."""
    verdict = {None: "", True: "met", False: "missed"}[row.met]
    times = (milliseconds(row.reading.library), milliseconds(row.reading.fuse))
    return row.workload, row.size, str(row.threads), *times, row.finding, row.bar, verdict


def milliseconds(seconds: float | None) -> str:
    """Four digits at most: `1234`, `12.34`, `0.0123`; nothing for None."""
    if seconds is None:
        return ""
    value = seconds * 1e3
    digits = next((digits for least, digits in ((1000, 0), (100, 1), (1, 2)) if value >= least), 4)
    return f"{value:.{digits}f}"


def summary(rows: Iterable[Row]) -> str:
    """`12 bars met, 3 missed: …`"""
    judged = [row for row in rows if row.met is not None]
    missed = [f"{row.workload} {row.size}" for row in judged if not row.met]
    names = f": {'; '.join(missed)}" if missed else ""
    return f"{len(judged) - len(missed)} bars met, {len(missed)} missed{names}"


def show(rows: list[Row]) -> None:
    """Print the table; at full width where nobody sees a terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=150)
    console.print(table(rows), summary(rows), sep="\n")


def save(rows: Iterable[Row], path: Path) -> None:
    """The rows as JSON, with what they were measured on."""
    facts = {"python": platform.python_version(), "machine": platform.machine(), "processor": _processor()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"on": facts, "rows": [_plain(row) for row in rows]}, indent=1), "utf-8")


def _plain(row: Row) -> dict[str, Any]:
    return asdict(row) | {"reading": row.reading._asdict()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
