"""Demo (a) in new processes: with an empty cache, and with the cache of the process before.

From the call to the start of its kernel: recording, optimizing, planning, and compiling or loading. Imports
are not in it; `import fuse` has a row of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.case import Bar, Reading, Row
from bench.processes import FirstCall, first_call, import_seconds
from bench.rounds import Settings

NAME = "compile_time"
COLD, WARM, IMPORT = Bar("within", 0.4), Bar("within", 0.02), Bar("within", 0.1)


def rows(settings: Settings) -> Iterator[Row]:
    rounds = 3 if settings.quick else 7
    pairs = [_cold_and_warm() for _ in range(rounds)]
    yield _row("demo (a), empty cache", median(cold.until_kernel for cold, _ in pairs), COLD, rounds)
    yield _row("demo (a), second process", median(warm.until_kernel for _, warm in pairs), WARM, rounds)
    imports = median(import_seconds("fuse", after="numpy") for _ in range(rounds))
    yield _row("import fuse, beyond NumPy", imports, IMPORT, rounds)


def _cold_and_warm() -> tuple[FirstCall, FirstCall]:
    with tempfile.TemporaryDirectory() as folder:
        return first_call(Path(folder)), first_call(Path(folder))


def _row(size: str, seconds: float, bar: Bar, rounds: int) -> Row:
    reading = Reading(None, seconds)
    return Row(NAME, size, 1, reading, "", str(bar), bar.is_met(reading), rounds=rounds)
