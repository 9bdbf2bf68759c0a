"""The memory that a call takes at its peak."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from bench.memory import MemoryCase, Peak, measure, rise

LARGE = 1 << 26


@pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark is reset on Linux only")
def test_what_is_freed_again_counts() -> None:
    def wasteful() -> int:
        return int(np.ones(LARGE, np.uint8)[-1])

    for _ in range(2):  # the mark starts anew
        result, risen = rise(wasteful)
        assert result == 1
        assert LARGE * 0.9 < risen < LARGE * 1.5


@pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark is reset on Linux only")
def test_temporaries_of_a_function_are_seen() -> None:
    x = np.ones(LARGE // 8)
    found = measure(MemoryCase(lambda x: (x + 1) * (x + 2), lambda few: (x[:10] if few else x,)))
    assert found.arguments == found.results == LARGE
    assert found.extra > LARGE * 0.9


def test_a_peak_is_told_beyond_the_results_and_in_terms_of_the_data() -> None:
    found = Peak(arguments=100, results=20, rise=30)
    assert found.extra == 10
    assert found.ratio == 130 / 120
