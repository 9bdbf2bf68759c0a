"""Running folds and folds along leading axes, compiled: NumPy's bits where NumPy folds in order."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from fuse import engine
from fuse.ir import build
from fuse.ir.interpret import interpret
from fuse.ir.node import Node
from fuse.ir.ops import REDUCTIONS
from fuse.plan.schedule import STEPS
from fuse.plan.steps import KernelStep
from tests.fuzz.compare import same_bits
from tests.fuzz.data import DTYPES, random_array

op = build.elementwise
SHAPES = [(100,), (40_001,), (7, 33), (300, 10), (60, 3), (5, 2100), (4, 5, 60), (2, 90, 9), (STEPS + 7, 12)]
EXTREMA = ("min", "max", "fmin", "fmax")
KINDS = sorted(REDUCTIONS - {"any", "all"})


def compiled(outputs: Sequence[Node], inputs: dict[Node, np.ndarray]) -> list[Any]:
    """The outputs by kernels alone."""
    program = engine.compile(outputs, list(inputs))
    assert all(isinstance(step, KernelStep) for step in program.plan.steps)
    return program.run(list(inputs.values()))


def kernels(output: Node, inputs: Sequence[Node]) -> int:
    return sum(isinstance(step, KernelStep) for step in engine.compile([output], inputs).plan.steps)


def given(dtype: np.dtype, shape: tuple[int, ...], seed: int = 0) -> tuple[Node, np.ndarray]:
    array = random_array(dtype, shape, np.random.default_rng(seed))
    return build.new_input(array.dtype, shape), array


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_scans_have_the_bits_of_numpy(dtype: np.dtype, shape: tuple[int, ...]) -> None:
    x, array = given(dtype, shape)
    kinds = ["any", "all"] if dtype.kind == "b" else KINDS
    for kind, axis in itertools.product(kinds, range(len(shape))):
        node = build.scan(kind, x, axis)
        (found,), (wanted,) = compiled([node], {x: array}), interpret([node], {x: array})
        if kind in EXTREMA and dtype.kind == "f":  # which zero is the larger one depends on NumPy's loop
            found, wanted = found + dtype.type(0), wanted + dtype.type(0)
        assert same_bits(found, wanted), (kind, axis)


@pytest.mark.parametrize("shape", [s for s in SHAPES if len(s) > 1 and s[-1] > 4], ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_extrema_and_sums_of_integers_along_any_axes(dtype: np.dtype, shape: tuple[int, ...]) -> None:
    x, array = given(dtype, shape)
    kinds = ["any", "all"] if dtype.kind == "b" else ["min", "max", *(["sum", "prod"] * (dtype.kind in "iu"))]
    for start, stop in itertools.combinations(range(len(shape) + 1), 2):
        for kind in kinds:
            node = build.reduce(kind, x, range(start, stop))
            (found,), (wanted,) = compiled([node], {x: array}), interpret([node], {x: array})
            assert found.dtype == wanted.dtype
            np.testing.assert_array_equal(found, wanted, err_msg=f"{kind} {start}:{stop}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_along_leading_axes_add_in_the_order_of_numpy(dtype: type) -> None:
    array = np.random.default_rng(3).standard_normal((STEPS, 50)).astype(dtype)
    x = build.new_input(array.dtype, array.shape)
    (found,) = compiled([build.reduce("sum", x, (0,))], {x: array})
    assert same_bits(found, array.sum(axis=0))


@pytest.mark.parametrize("shape", [(500, 9), (70, 32), (3, 40, 12)], ids=str)
def test_sums_of_short_rows_lose_nothing(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    array = (rng.standard_normal(shape) * 10.0 ** rng.integers(-8, 9, shape)).astype(np.float32)
    x = build.new_input(array.dtype, shape)
    (found,) = compiled([build.reduce("sum", x, (len(shape) - 1,))], {x: array})
    exact = array.astype(np.float64).sum(axis=-1)
    worst = np.abs(array).sum(axis=-1, dtype=np.float64) * 2.0**-46 + np.spacing(np.abs(found)).astype(float)
    assert (np.abs(found - exact) <= worst).all()


@pytest.mark.parametrize("layout", ["C", "F", "strided", "reversed", "broadcast"])
def test_in_any_layout(layout: str) -> None:
    array = {
        "C": lambda a: a, "F": np.asfortranarray, "strided": lambda a: np.repeat(a, 2, 1)[:, ::2],
        "reversed": lambda a: a[::-1, ::-1], "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
    }[layout](np.random.default_rng(0).standard_normal((70, 45)))  # fmt: skip
    x = build.new_input(array.dtype, array.shape)
    for axis in (0, 1):
        outputs = [build.scan("sum", x, axis), build.reduce("max", x, (axis,))]
        wanted = interpret(outputs, {x: array})
        for found, expected in zip(compiled(outputs, {x: array}), wanted, strict=True):
            assert same_bits(found, expected)


@pytest.mark.parametrize("shape", [(5000,), (90, 40)], ids=str)
def test_a_scan_is_one_kernel_with_the_code_around_it(shape: tuple[int, ...]) -> None:
    for axis in range(len(shape)):
        x, y = (build.new_input(np.dtype(np.float64), shape) for _ in range(2))
        total = build.scan("sum", op("multiply", x, y), axis)
        node = op("divide", op("add", total, x), build.scan("max", y, axis))
        assert kernels(node, [x, y]) == 1
        data = {n: np.random.default_rng(4).standard_normal(shape) + 3 for n in (x, y)}
        assert same_bits(compiled([node], data)[0], interpret([node], data)[0])
        folded = build.reduce("max", node, (axis,))
        assert kernels(folded, [x, y]) == 1
        assert same_bits(compiled([folded], data)[0], interpret([folded], data)[0])


def test_scans_along_two_axes_are_two_kernels() -> None:
    x, array = given(np.dtype(np.int64), (60, 50))
    node = op("add", build.scan("sum", build.scan("sum", x, 0), 1), x)
    assert kernels(node, [x]) == 2
    assert same_bits(compiled([node], {x: array})[0], interpret([node], {x: array})[0])
    both = op("subtract", build.scan("max", x, 0), build.scan("max", x, 1))
    assert same_bits(compiled([both], {x: array})[0], interpret([both], {x: array})[0])


def test_scans_and_filters() -> None:
    x, array = given(np.dtype(np.int64), (3000,))
    kept = build.compress(x, op("greater", x, build.constant(0)))
    below = op("less", build.scan("max", x, 0), build.constant(2**62))
    outputs = [
        build.scan("sum", kept, 0),
        build.compress(x, below),
        build.reduce("sum", build.scan("sum", kept, 0)),
    ]
    found = engine.compile(outputs, [x]).run([array])
    for got, wanted in zip(found, interpret(outputs, {x: array}), strict=True):
        assert same_bits(got, wanted)


def test_without_elements() -> None:
    for shape in [(0,), (0, 80), (80, 0)]:
        x = build.new_input(np.dtype(np.float64), shape)
        outputs = [build.scan("sum", x, 0), build.reduce("sum", x, (0,))]
        data = {x: np.zeros(shape)}
        for got, wanted in zip(
            engine.compile(outputs, [x]).run([data[x]]), interpret(outputs, data), strict=True
        ):
            assert same_bits(got, wanted)
