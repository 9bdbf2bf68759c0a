"""Arrays of classes derived from NumPy's beside lazy ones: masks, units and matrices keep their rules."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fuse
import fuse.numpy as fnp
from fuse import config

X = np.linspace(1.0, 9.0, 12)
MASKED = np.ma.masked_array(X[::-1].copy(), mask=np.arange(12) % 3 == 0)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    MATRIX = np.asmatrix(X[:, None])


class Plain(np.ndarray):
    """Overrides nothing."""


class Unit(np.ndarray):
    """Wraps the results of its ufuncs."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        real = [value.view(np.ndarray) if isinstance(value, Unit) else value for value in inputs]
        return ("unit", getattr(ufunc, method)(*real, **options))


DERIVED = {"masked": MASKED, "matrix": MATRIX, "plain": X.view(Plain), "unit": X.view(Unit)}

PROGRAMS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "left": lambda np, x, y: x + y,
    "right": lambda np, x, y: y - x,
    "times": lambda np, x, y: y * x,
    "column": lambda np, x, y: y * x[None, :],
    "compared": lambda np, x, y: x > y,
    "equal": lambda np, x, y: y == x,
    "function": lambda np, x, y: np.hypot(x, y),
    "two functions": lambda np, x, y: np.sqrt(np.multiply(x, 2) + y),
    "product": lambda np, x, y: x @ y,
    "masked by": lambda np, x, y: np.add(x, 1, where=x > 3, out=y.copy()),
    "alone": lambda np, x, y: np.exp(y),
    "kept": lambda np, x, y: np.asanyarray(y),
    "taken off": lambda np, x, y: np.asarray(y),
    "stacked": lambda np, x, y: np.concatenate([x.reshape(y.shape), y]),
    "chosen": lambda np, x, y: np.where(x > 3, x, y),
    "integrated": lambda np, x, y: np.trapezoid(y.reshape(-1), x),
    "summed": lambda np, x, y: np.sum(y),
}


def outcome(program: Callable[..., Any], module: Any, *arrays: Any) -> Any:
    try:
        return program(module, *arrays)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what we compare
        return type(error)


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, tuple):
        assert ours[0] == theirs[0]
        ours, theirs = ours[1], theirs[1]
    found = fuse.evaluate(ours)
    assert type(found) is type(theirs), f"{type(found)} {type(theirs)}"
    if isinstance(theirs, np.ma.MaskedArray):
        np.testing.assert_array_equal(np.ma.getmaskarray(found), np.ma.getmaskarray(theirs))
        found, theirs = found.filled(0), theirs.filled(0)
    if isinstance(theirs, np.ndarray):
        assert found.dtype == theirs.dtype
        np.testing.assert_array_equal(np.asarray(found), np.asarray(theirs))
    else:
        assert found == theirs


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("kind", DERIVED)
def test_results_are_those_of_the_class(kind: str, name: str) -> None:
    program = PROGRAMS[name]
    with np.errstate(all="ignore"):
        theirs = outcome(program, np, X, DERIVED[kind])
        for limit in (0, config.current().min_rows):
            with config.config(min_rows=limit):
                assert_same(outcome(program, fnp, fnp.asarray(X) * 1, DERIVED[kind]), theirs)
                assert_same(outcome(program, fnp, X, DERIVED[kind]), theirs)


def test_a_masked_array_that_a_compiled_function_finds() -> None:
    @fuse.jit
    def shifted(x: Any) -> Any:
        return x + MASKED

    with config.config(min_rows=0):
        for _ in range(2):
            assert_same(shifted(X), X + MASKED)


@pytest.mark.parametrize("function", [operator.iadd, operator.imul])
def test_in_place(function: Callable[[Any, Any], Any]) -> None:
    with config.config(min_rows=0):
        ours, theirs = fnp.asarray(X) * 1, X.copy()
        assert_same(function(ours, X.view(Plain)), function(theirs, X.view(Plain)))
        assert_same(ours, theirs)


def test_a_memory_map_is_compiled(tmp_path: Path) -> None:
    stored = np.memmap(tmp_path / "elements", dtype=float, shape=12, mode="w+")
    stored[:] = X
    with config.config(min_rows=0, strict=True):
        assert_same(fnp.asarray(X) + stored, X + X)
