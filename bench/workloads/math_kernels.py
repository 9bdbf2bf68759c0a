"""The math library's kernels alone: preallocated output, no recording, arguments of moderate and of any size.

`python -m bench.math_speed` prints the same for every function of the library; here are the six that have
a bar.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench import math_speed
from bench.case import Bar, Reading, Row, finding
from bench.rounds import Settings
from bench.workloads.math_functions import DTYPES, RANGES

BAR = Bar("slower", 1.0)


def rows(settings: Settings) -> Iterator[Row]:
    for name, kind, samples in math_speed.CASES:
        if name not in RANGES or (settings.quick and kind != "moderate"):
            continue
        for dtype in DTYPES:
            with np.errstate(all="ignore"):
                library, ours = (
                    ns * 1e-9 * math_speed.SIZE for ns in math_speed.measure(name, samples, dtype)
                )
            reading = Reading(library, ours, library / ours, ours - library)
            size = f"4e6 {dtype}, {kind}"
            shown, met = finding(reading, BAR), BAR.is_met(reading)
            yield Row(f"kernel {name}", size, 1, reading, shown, str(BAR), met, rounds=math_speed.ROUNDS)
