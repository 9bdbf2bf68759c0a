"""What kernels tell of floating-point errors: where NumPy warns they doubt, over ordinary data never."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from fuse import engine
from fuse.codegen.elementwise import emitted_ops
from fuse.ir import build
from fuse.ir.node import Node, make
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Symbol

N = Symbol("n")
SPECIAL = [0.0, -0.0, 1.0, -2.0, 0.5, 1e300, -1e-300, 710.0, 89.0, 1e5, np.inf, -np.inf, np.nan]
ORDINARY = {"arccosh": 1.5, "arcsin": 0.5, "arccos": 0.5, "arctanh": 0.5}


def program_of(op: str, dtypes: Sequence[Any]) -> engine.Program:
    inputs = [build.new_input(np.dtype(dtype), (N,)) for dtype in dtypes]
    return engine.compile([make(op, inputs)], inputs)


def numpy_errors(op: str, arrays: Sequence[np.ndarray]) -> list[str]:
    errors: list[str] = []
    with np.errstate(all="call", under="ignore", call=lambda error, _: errors.append(error)):
        SCALAR_OPS[op].meaning(*arrays)
    return errors


def dtypes_of(op: str, dtype: str) -> list[Any]:
    return [dtype, np.int32] if op == "ldexp" else [dtype] * SCALAR_OPS[op].arity


FLOAT_OPS = sorted(name for name in emitted_ops("f") if name in SCALAR_OPS and name != "select")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("op", [op for op in FLOAT_OPS if op != "complex"])
def test_what_numpy_warns_of_is_doubted(op: str, dtype: str) -> None:
    dtypes = dtypes_of(op, dtype)
    program = program_of(op, dtypes)
    with np.errstate(all="ignore"):
        values = np.array(SPECIAL).astype(dtype)
    seconds = [0, 1, -5, 2000] if op == "ldexp" else values
    for chosen in itertools.product(values, *[seconds] * (len(dtypes) - 1)):
        arrays = [np.full(37, value, of) for value, of in zip(chosen, dtypes, strict=True)]
        _, doubtful = program.run_doubting(arrays)
        assert doubtful or not numpy_errors(op, arrays), chosen


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", FLOAT_OPS)
def test_ordinary_data_are_not_doubted(op: str, dtype: str) -> None:
    """Whatever the length: the lanes behind the last row compute what it computes."""
    dtypes = dtypes_of(op, dtype)
    program = program_of(op, dtypes)
    for rows in (1, 7, 37, 64, 1030):
        first = np.linspace(0.9, 1.0, rows) * ORDINARY.get(op, 2.0)
        arrays = [first.astype(of) for of in dtypes]
        assert not program.run_doubting(arrays)[1], rows


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint16", "uint64"])
@pytest.mark.parametrize("op", ["floor_divide", "remainder", "fmod"])
def test_integer_divisions(op: str, dtype: str) -> None:
    program = program_of(op, [dtype, dtype])
    limits = np.iinfo(dtype)
    for left, right in itertools.product((limits.min, limits.max, 5), (0, 1, 3, limits.max, limits.min)):
        arrays = [np.full(37, value, dtype) for value in (left, right)]
        assert program.run_doubting(arrays)[1] or not numpy_errors(op, arrays), (left, right)
    ones = [np.full(37, value, dtype) for value in (7, 2)]
    assert not program.run_doubting(ones)[1]


@pytest.mark.parametrize(
    "target", ["int8", "int32", "int64", "uint8", "uint32", "uint64", "float32", "float16"]
)
def test_casts(target: str) -> None:
    source = build.new_input(np.dtype(np.float64), (N,))
    program = engine.compile([build.convert(source, np.dtype(target))], [source])
    for value in (*SPECIAL, 3e9, -3e9, 2.0**63, -(2.0**63), 2.0**64, 70000.0):
        array = np.full(37, value)
        errors: list[str] = []
        with np.errstate(all="call", under="ignore", call=lambda error, _, to=errors: to.append(error)):
            array.astype(target)
        assert program.run_doubting([array])[1] or not errors, value
    assert not program.run_doubting([np.linspace(0, 100, 37)])[1]


def test_one_bad_row_among_many() -> None:
    program = program_of("log", ["float64"])
    values = np.linspace(1.0, 2.0, 300_001)
    for place in (0, 150_000, 300_000):
        bad = values.copy()
        bad[place] = 0.0
        assert program.run_doubting([bad])[1]
    assert not program.run_doubting([values])[1]


def test_rows_behind_a_filter() -> None:
    """What the filter dropped is not computed, and what an earlier tile left behind neither."""
    value = build.new_input(np.dtype(np.float64), (N,))
    mask = make("greater", [value, build.constant(0.0)])
    kept = build.compress(value, mask)
    outputs: list[Node] = [make("divide", [build.constant(1.0), kept]), make("log", [kept])]
    program = engine.compile(outputs, [value])
    data = np.where(np.arange(5000) % 3 == 0, -1.0, np.linspace(1, 2, 5000))
    assert not program.run_doubting([data])[1]
    data[1] = 5e-324
    assert program.run_doubting([data])[1]


def test_reductions_that_overflow() -> None:
    value = build.new_input(np.dtype(np.float64), (N,))
    program = engine.compile([build.reduce("sum", value)], [value])
    assert not program.run_doubting([np.full(100_000, 1e300)])[1]
    assert program.run_doubting([np.full(100_000, 1e305)])[1]


def test_constants_that_the_optimizer_folds() -> None:
    zero = build.broadcast(build.constant(0.0), (5000,))
    value = build.new_input(np.dtype(np.float64), (5000,))
    quotient = make("divide", [build.constant(1.0), zero])
    folded = engine.compile([make("add", [value, quotient])], [value])
    given = engine.compile([make("maximum", [value, build.constant(np.inf)])], [value])
    assert folded.run_doubting([np.ones(5000)])[1]
    assert not given.run_doubting([np.ones(5000)])[1]
