"""Reductions over axes, dtypes, masks and empty arrays, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.fuzz.data import DTYPES, random_array
from tests.integrations.numpy_array.worlds import check, lazily, recorded, symbolic

LAZY = (lazily, recorded, symbolic)
_TOLERANCE = {np.dtype(np.float16): 2e-3, np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}

EXACT = ["min", "max", "any", "all", "count_nonzero", "argmin", "argmax", "nanmin", "nanmax", "ptp"]
SUMMED = ["sum", "prod", "mean", "var", "std", "nansum", "nanmean"]


def ordinary(dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """Positive numbers, so that relative tolerances mean something."""
    rng = np.random.default_rng(5)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    return (rng.random(shape) * 3 + 0.5).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", [*EXACT, *SUMMED])
def test_over_axes(name: str, dtype: np.dtype) -> None:
    a = ordinary(dtype, (4, 3, 2))
    rtol = 0 if name in EXACT else _TOLERANCE.get(dtype, 1e-12)
    for axis in (None, 0, 1, -1, (0, 2), (0, 1, 2), (), 3, (0, 0)):
        if isinstance(axis, tuple) and name in ("argmin", "argmax"):
            continue
        for keepdims in (False, True):
            check(
                lambda np, x, axis=axis, keepdims=keepdims: getattr(np, name)(
                    x, axis=axis, keepdims=keepdims
                ),
                a,
                rtol=rtol,
                worlds=LAZY[:2],
            )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", [*EXACT, "sum"])
def test_special_values(name: str, dtype: np.dtype) -> None:
    a = random_array(dtype, (50,), np.random.default_rng(8))
    if name == "sum" and dtype.kind == "f":
        a = np.where(np.abs(a) > 100, dtype.type(np.inf), a)
    check(
        lambda np, x: getattr(np, name)(x),
        a,
        rtol=_TOLERANCE.get(dtype, 0) if name == "sum" else 0,
        worlds=LAZY,
    )


@pytest.mark.parametrize("name", ["sum", "prod", "min", "max", "any", "all", "mean", "var", "std"])
def test_methods_and_parameters(name: str) -> None:
    a = ordinary(np.dtype(np.float32), (5, 4))
    mask = np.random.default_rng(1).random((5, 4)) < 0.6
    rtol = 1e-5
    check(lambda np, x: getattr(x, name)(), a, rtol=rtol)
    check(lambda np, x: getattr(x, name)(1), a, rtol=rtol)
    if name in ("sum", "prod", "min", "max"):
        check(lambda np, x, m: getattr(np, name)(x, axis=0, where=m, initial=2), a, mask, rtol=rtol)
        check(lambda np, x: getattr(np, name)(x, initial=7), a, rtol=rtol)
        check(lambda np, x, m: getattr(np, name)(x, where=m), a, mask, rtol=rtol)
    else:
        check(lambda np, x, m: getattr(np, name)(x, axis=0, where=m), a, mask, rtol=rtol)
    if name in ("sum", "prod", "mean", "var", "std"):
        check(lambda np, x: getattr(np, name)(x, dtype=np.float64), a, rtol=rtol)
    if name in ("var", "std"):
        check(lambda np, x: getattr(np, name)(x, ddof=1), a, rtol=rtol)
        check(lambda np, x: getattr(np, name)(x, axis=1, correction=1), a, rtol=rtol)
        check(lambda np, x: getattr(np, name)(x, axis=1, ddof=9), a, rtol=rtol)
    check(lambda np, x, y: getattr(np, name)(x, axis=0, out=y), a, np.zeros(4), rtol=rtol)
    check(lambda np, x, y: getattr(np, name)(x, axis=0, out=y), a, np.zeros(3), rtol=rtol)


@pytest.mark.parametrize("name", [*EXACT, *SUMMED])
def test_nothing_to_reduce(name: str) -> None:
    check(lambda np, x: getattr(np, name)(x), np.empty(0))
    check(lambda np, x: getattr(np, name)(x, axis=0), np.empty((0, 3)))
    check(lambda np, x: getattr(np, name)(x, axis=1), np.empty((0, 3)))


@pytest.mark.parametrize("name", ["sum", "mean", "min", "max", "std", "argmax", "count_nonzero"])
def test_of_a_filter(name: str) -> None:
    a = np.linspace(-1, 1, 30)
    check(lambda np, x: getattr(np, name)(x[x > 0]), a, rtol=1e-12)
    check(lambda np, x: getattr(np, name)(x[x > 5]), a, rtol=1e-12)
    check(lambda np, x: getattr(np, name)(x.reshape(10, 3)[x[::3] > 0], axis=0), a, rtol=1e-12)


def test_ufunc_methods() -> None:
    a = ordinary(np.dtype(np.float64), (4, 3))
    for name in ("add", "multiply", "minimum", "maximum", "subtract", "logical_or", "bitwise_or"):
        check(lambda np, x, name=name: getattr(np, name).reduce(x), a, rtol=1e-12)
        check(lambda np, x, name=name: getattr(np, name).reduce(x, axis=1, keepdims=True), a, rtol=1e-12)
    check(lambda np, x: np.add.accumulate(x), a)
    check(lambda np, x: np.multiply.outer(x[0], x[1]), a)
    check(lambda np, x: np.add.at(x, (0, 0), 5.0), a)
    check(lambda np, x: np.cumsum(x, axis=1), a)


def test_integers_average_in_float64() -> None:
    a = np.array([2**62, 2**62, 2**62 + 1, 3])
    check(lambda np, x: (x.mean(), x.var(), x.sum(), x.astype(np.int8).sum()), a, rtol=1e-12)


def test_axis_out_of_bounds() -> None:
    for name in ("sum", "mean", "argmin", "any"):
        check(lambda np, x, name=name: getattr(np, name)(x, axis=2), np.ones((2, 3)))


def test_where_needs_initial() -> None:
    check(lambda np, x: np.min(x, where=x > 0), np.ones(3))


def passes(program: Any, a: np.ndarray) -> None:
    """A mean that shares its sum with a variance."""
    check(program, a, rtol=1e-12)


def test_several_at_once() -> None:
    passes(lambda np, x: (x - x.mean()) / x.std(), np.linspace(1, 9, 40))
    passes(lambda np, x: [x.min(), x.max(), x.sum(), (x > 3).sum()], np.linspace(1, 9, 40))
