"""Compiled elementwise ops against the interpreter: every op, every dtype, special values, all bits."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from fuse import engine
from fuse.codegen.elementwise import emitted_ops
from fuse.codegen.math import MATH
from fuse.errors import VerifyError
from fuse.ir import build
from fuse.ir.interpret import interpret
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.plan.classify import can_emit, is_loop_dtype

_NAMES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64"
DTYPES = [np.dtype(name) for name in _NAMES.split()]
DATES = [np.dtype("datetime64[ns]"), np.dtype("timedelta64[s]")]
EXACT = frozenset({
    "copysign", "fmod", "remainder", "floor_divide", "floor", "ceil", "rint", "trunc",
    "sqrt", "sign", "heaviside", "deg2rad", "rad2deg", "nextafter", "spacing", "ldexp",
})  # fmt: skip

INEXACT_IN_NUMPY = frozenset({"logaddexp", "logaddexp2", "gammaln", "erfc"})
"""NumPy or SciPy itself is off by more ulps than ours; tests/codegen/test_math.py compares with the true
values.
"""


def samples(dtype: np.dtype, seed: int) -> np.ndarray:
    """301 values: all kinds of special ones, then random ones."""
    rng = np.random.default_rng(seed)
    if dtype.kind == "b":
        return rng.integers(0, 2, 301).astype(bool)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        special = [0, 1, 2, 3, 7, info.max, info.min, info.max - 1, info.min + 1]
        wide = rng.integers(info.min, info.max, 140, dtype, endpoint=True)
        return np.concatenate([np.array(special, dtype), wide, rng.integers(0, 12, 152).astype(dtype)])
    if dtype.kind in "mM":
        return np.where(rng.random(301) < 0.2, np.iinfo(np.int64).min, rng.integers(-9999, 9999, 301)).view(
            dtype
        )
    special = np.array(
        [0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 0.5, 1.5, 2.5, -2.5, 1e-7, 6e4, -6e4], dtype
    )
    return rng.permuted(np.concatenate([special, special, (rng.standard_normal(273) * 4).astype(dtype)]))


def combinations() -> list[tuple[str, tuple[np.dtype, ...]]]:
    """Every op with every tuple of operand dtypes that one of its loops takes."""
    found = []
    for name, row in SCALAR_OPS.items():
        if name == "select":
            found += [(name, (np.dtype(bool), dtype, dtype)) for dtype in DTYPES]
            continue
        for dtypes in itertools.product(DTYPES + DATES, repeat=row.arity):
            if len(set(dtypes)) > 1 and name != "ldexp":
                continue
            try:
                result = row.dtype_rule(*dtypes)
            except VerifyError:
                continue
            if is_loop_dtype(result):
                found.append((name, dtypes))
    return found


def compiled_and_meant(node: Any, bindings: dict[Any, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The node's value by its kernel and by the interpreter."""
    (got,), (want,) = engine.evaluate([node], bindings), interpret([node], bindings)
    return got, want


def same_bits(got: np.ndarray, want: np.ndarray) -> bool:
    """Equal bits; any NaN equals any NaN."""
    if got.dtype != want.dtype or got.shape != want.shape:
        return False
    if got.dtype.kind == "c":
        return same_bits(got.real.copy(), want.real.copy()) and same_bits(got.imag.copy(), want.imag.copy())
    nan = np.isnan(want) if want.dtype.kind == "f" else np.zeros(want.shape, bool)
    equal = got.view(f"u{got.itemsize}") == want.view(f"u{want.itemsize}")
    return bool((equal | (nan & (np.isnan(got) if got.dtype.kind == "f" else False))).all())


def ulp_distance(got: np.ndarray, want: np.ndarray) -> float:
    """The largest distance in units of the last place."""
    finite = np.isfinite(want)
    if not (np.isfinite(got) == finite).all() or not same_bits(got[~finite], want[~finite]):
        return np.inf
    with np.errstate(all="ignore"):
        gap = np.abs(got[finite].astype(np.longdouble) - want[finite]) / np.abs(np.spacing(want[finite]))
    return float(gap.max(initial=0.0))


@pytest.mark.parametrize(("name", "dtypes"), combinations(), ids=lambda value: str(value))
def test_op_has_the_interpreters_bits(name: str, dtypes: tuple[np.dtype, ...]) -> None:
    arrays = [samples(dtype, seed) for seed, dtype in enumerate(dtypes)]
    if name == "power" and dtypes[0].kind == "i":
        arrays[1] = np.abs(arrays[1] % 8)
    nodes = [build.new_input(array.dtype, array.shape) for array in arrays]
    got, want = compiled_and_meant(build.elementwise(name, *nodes), dict(zip(nodes, arrays, strict=True)))
    if name in MATH and name not in EXACT and want.dtype.kind == "f":
        assert got.dtype == want.dtype
        if name in INEXACT_IN_NUMPY:
            np.testing.assert_allclose(
                got, want, rtol=1e3 * np.finfo(want.dtype).eps, atol=np.finfo(want.dtype).eps
            )
        else:
            assert ulp_distance(got, want) <= 4  # ours at most 2, and NumPy's own
    else:
        assert same_bits(got, want), (got[got != want][:5], want[got != want][:5])


@pytest.mark.parametrize(("source", "target"), list(itertools.product(DTYPES, DTYPES)), ids=str)
def test_conversion_has_numpys_bits(source: np.dtype, target: np.dtype) -> None:
    array = samples(source, 5)
    if source.kind == "f" and target.kind in "iu":
        low, high = np.iinfo(target).min, np.iinfo(target).max
        with np.errstate(all="ignore"):
            array = array[(array >= low) & (array < high)]  # outside, C leaves the result open
    value = build.new_input(array.dtype, array.shape)
    got, want = compiled_and_meant(build.convert(value, target), {value: array})
    assert same_bits(got, want)


@pytest.mark.parametrize("kind", "bfiuM")
def test_planner_and_emitters_agree_on_what_is_compiled(kind: str) -> None:
    dtype = {"b": "bool", "f": "float64", "i": "int64", "u": "uint8", "M": "datetime64[s]"}[kind]
    emitted = emitted_ops(kind)
    for name, dtypes in combinations():
        if dtypes[0] == np.dtype(dtype) or (name == "select" and dtypes[1] == np.dtype(dtype)):
            assert not can_emit(name, dtypes) or name in emitted, name
            if name in emitted and kind != "M":
                assert can_emit(name, dtypes), name
