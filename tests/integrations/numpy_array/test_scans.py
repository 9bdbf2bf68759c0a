"""cumsum, accumulate and differences in programs, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.fuzz.data import DTYPES, random_array
from tests.integrations.numpy_array.worlds import Program, at_once, check, lazily, recorded, symbolic

WORLDS = (at_once, lazily, recorded, symbolic)

SCANS: dict[str, Program] = {
    "cumsum": lambda np, a: np.cumsum(a),
    "cumsum along an axis": lambda np, a: np.cumsum(a, axis=-1),
    "cumsum of a dtype": lambda np, a: np.cumsum(a, axis=0, dtype=np.float32),
    "method": lambda np, a: a.cumsum(0) + a.cumprod(axis=0),
    "cumprod": lambda np, a: np.cumprod(a, axis=0),
    "nancumsum": lambda np, a: np.nancumsum(a, axis=0),
    "nancumprod": lambda np, a: np.nancumprod(a),
    "cumulative_sum": lambda np, a: np.cumulative_sum(a, axis=0),
    "cumulative_prod": lambda np, a: np.cumulative_prod(a, axis=-1, dtype=np.int64),
    "cumulative_sum with a first zero": lambda np, a: np.cumulative_sum(a, axis=0, include_initial=True),
    "maximum": lambda np, a: np.maximum.accumulate(a),
    "minimum": lambda np, a: np.minimum.accumulate(a, -1),
    "fmax": lambda np, a: np.fmax.accumulate(a, axis=0),
    "logical_or": lambda np, a: np.logical_or.accumulate(a, axis=-1),
    "logical_and": lambda np, a: np.logical_and.accumulate(a),
    "subtract": lambda np, a: np.subtract.accumulate(a),
    "axis too large": lambda np, a: np.cumsum(a, axis=7),
    "axis no integer": lambda np, a: np.cumsum(a, axis=(0,)),
    "diff": lambda np, a: np.diff(a, n=2, axis=0),
    "diff with borders": lambda np, a: np.diff(a, prepend=0, append=a[:, -1:] if a.ndim > 1 else a[-1:]),
    "ediff1d": lambda np, a: np.ediff1d(a, to_begin=a.ravel()[:1]),
    "drawdown": lambda np, a: np.min(a - np.maximum.accumulate(a, axis=0), axis=0),
    "moving sum": lambda np, a: np.cumsum(a, axis=0)[3:] - np.cumsum(a, axis=0)[:-3],
    "backwards": lambda np, a: np.cumsum(a[::-1], axis=0)[::-1],
    "transposed": lambda np, a: np.cumsum(a.T, axis=0),
    "of a filter": lambda np, a: np.cumsum(a[a > 0]),
    "as a filter": lambda np, a: a.ravel()[np.cumsum(a > 0) > 20],
    "in place": lambda np, a: np.cumsum(a, axis=0, dtype=a.dtype, out=a),
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", SCANS)
def test_scans(name: str, dtype: np.dtype) -> None:
    for shape in [(80,), (9, 14), (3, 5, 12)]:
        check(SCANS[name], random_array(dtype, shape, np.random.default_rng(2)), worlds=WORLDS)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (4, 0)], ids=str)
@pytest.mark.parametrize("name", [name for name in SCANS if "border" not in name])
def test_of_nothing_and_of_one(name: str, shape: tuple[int, ...]) -> None:
    if name == "in place" and shape == ():  # NumPy 2.4 crashes on an output of no axes
        return
    check(SCANS[name], np.ones(shape), worlds=WORLDS)


@pytest.mark.parametrize("out", [np.float64, np.float32, np.int64], ids=str)
def test_into_an_output(out: type) -> None:
    def program(np: Any, a: Any, target: Any) -> Any:
        return np.cumsum(a, axis=0, out=target), np.maximum.accumulate(a, out=target), target

    check(program, np.linspace(-3, 9, 70), np.zeros(70, out), worlds=WORLDS)
    check(program, np.linspace(-3, 9, 70), np.zeros(71, out), worlds=WORLDS)
