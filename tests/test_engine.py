"""Whole graphs through the engine against the interpreter: shapes, strides, filters, reductions, threads,
targets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from fuse import config, engine
from fuse.ir import build
from fuse.ir.forest import ForestTables
from fuse.ir.interpret import interpret
from fuse.ir.node import Node
from fuse.ir.ops import count_of
from fuse.plan import assemble
from fuse.plan.schedule import Schedule
from fuse.plan.steps import KernelStep
from fuse.runtime.text import TextArray

N = 70_001
op = build.elementwise


def rows(seed: int, dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(N).astype(dtype)


def bound(*arrays: np.ndarray) -> tuple[list[Node], dict[Node, np.ndarray]]:
    nodes = [build.new_input(array.dtype, array.shape) for array in arrays]
    return nodes, dict(zip(nodes, arrays, strict=True))


def check(outputs: Sequence[Node], bindings: dict[Node, np.ndarray]) -> list[np.ndarray]:
    """Compiled equals interpreted; sums to the error of a sum, everything else to the bit."""
    compiled = engine.evaluate(outputs, bindings)
    for got, want in zip(compiled, interpret(outputs, bindings), strict=True):
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(got, want, rtol=1e-12 if got.dtype != np.float32 else 1e-5, atol=1e-15)
    return compiled


def kernels(outputs: Sequence[Node], inputs: Sequence[Node]) -> list[KernelStep]:
    plan = engine.compile(outputs, inputs).plan
    assert plan is not None
    return [step for step in plan.steps if isinstance(step, KernelStep)]


LAYOUTS = {
    "C": lambda a: a,
    "F": np.asfortranarray,
    "reversed": lambda a: a[::-1, :, ::-1].copy()[::-1, :, ::-1],
    "transposed": lambda a: a.transpose(2, 0, 1).copy().transpose(1, 2, 0),
    "strided": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "broadcast": lambda a: np.broadcast_to(a[:, :1], a.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)])
def test_maps_and_reductions_over_any_layout(layout: str, axes: tuple[int, ...]) -> None:
    array = LAYOUTS[layout](np.random.default_rng(1).standard_normal((37, 53, 5)))
    (a,), bindings = bound(array)
    twice = op("multiply", a, build.constant(2.0))
    check([twice, build.reduce("sum", twice, axes), build.reduce("max", a, axes)], bindings)


def test_views_are_free_and_right() -> None:
    (a,), bindings = bound(np.random.default_rng(2).standard_normal((64, 48)))
    turned = build.transpose(a, (1, 0))
    row = build.broadcast(build.slice_(a, ((3, 4, 1), (0, None, 1))), (64, 48))
    left, right = (build.slice_(a, ((0, None, 1), bounds)) for bounds in ((0, -1, 1), (1, None, 1)))
    back = build.slice_(a, ((None, None, -1), (None, None, -3)))
    outputs = [op("exp", turned), op("add", a, row), op("subtract", left, right), op("negative", back)]
    check(outputs, bindings)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("threads", [1, 3])
def test_filters_of_every_dtype(share: float, threads: int) -> None:
    names = ["bool", "int8", "uint16", "int32", "int64", "float16", "float32", "float64"]
    arrays = [(rows(seed) * 100).astype(name) for seed, name in enumerate(names)]
    nodes, bindings = bound(*arrays, np.random.default_rng(9).random(N))
    mask = op("less", nodes[-1], build.constant(share))
    kept = [build.compress(node, mask) for node in nodes]
    total = build.reduce("sum", op("multiply", kept[-1], kept[-2]))
    with config.config(num_threads=threads):
        check([*kept, build.stack(kept[-2:], 1), total], bindings)


def test_a_chain_of_filters() -> None:
    (a, b), bindings = bound(rows(1), rows(2))
    mask = op("greater", a, build.constant(0.0))
    first, second = build.compress(a, mask), build.compress(b, mask)
    again = op("less", second, build.constant(0.5))
    check([build.compress(first, again), build.reduce("sum", build.compress(second, again))], bindings)


def test_a_filtered_mean_and_what_is_subtracted_from() -> None:
    (a,), bindings = bound(rows(3))
    kept = build.compress(a, op("greater", a, build.constant(0.0)))
    count = build.reduce("sum", build.convert(op("equal", kept, kept), "int64"))
    mean = op("divide", build.reduce("sum", kept), build.convert(count, "float64"))
    check([op("subtract", kept, mean)], bindings)


def test_gather_wraps_and_raises_as_numpy() -> None:
    (a,), bindings = bound(np.random.default_rng(4).integers(-10, 10, N))
    table = build.constant(np.arange(10.0))
    check([build.gather(table, a)], bindings)
    with pytest.raises(IndexError, match="out of bounds for axis 0 with size 10"):
        engine.evaluate([build.gather(table, op("add", a, build.constant(1)))], bindings)


def test_no_rows() -> None:
    (a,), bindings = bound(np.empty(0))
    check([op("exp", a), build.reduce("sum", a), build.reduce("any", op("isnan", a))], bindings)


def test_narrow_product_and_its_epilogue_are_one_kernel() -> None:
    (a, b, c), bindings = bound(rows(1), rows(2), rows(3))
    weights = build.constant(np.random.default_rng(5).standard_normal((3, 5)))
    product = build.dot(build.stack([a, b, c], 1), weights)
    outputs = [op("tanh", build.column(product, j)) for j in range(5)]
    check(outputs, bindings)
    assert len(kernels(outputs, [a, b, c])) == 1


def test_reductions_of_one_pass_share_a_kernel() -> None:
    (a,), bindings = bound(rows(6))
    outputs = [build.reduce(kind, a) for kind in ("sum", "min", "max", "fmin", "fmax")]
    outputs += [build.reduce(kind, op("greater", a, build.constant(4.0))) for kind in ("any", "all")]
    check(outputs, bindings)
    assert len(kernels(outputs, [a])) == 1


def mixed_program() -> tuple[list[Node], dict[Node, np.ndarray]]:
    """Maps, a filter, sums in float32 and float64, transcendental functions: enough rows for many units."""
    rng = np.random.default_rng(7)
    (a, b, c), bindings = bound(
        rng.standard_normal(400_001), rng.random(400_001), rng.random(400_001).astype("f4")
    )
    wave = op("sin", op("multiply", a, build.constant(3.0)))
    soft = op("log1p", op("exp", op("negative", op("absolute", a))))
    kept = build.compress(op("multiply", wave, b), op("greater", soft, build.constant(0.3)))
    sums = [build.reduce("sum", value) for value in (wave, soft, kept, c)]
    return [
        wave,
        soft,
        kept,
        op("exp", c),
        *sums,
        build.reduce("prod", op("cos", op("multiply", b, build.constant(1e-3)))),
    ], bindings


def bits(arrays: Sequence[np.ndarray]) -> list[bytes]:
    return [array.tobytes() for array in arrays]


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_the_number_of_threads_changes_no_bit(threads: int) -> None:
    outputs, bindings = mixed_program()
    with config.config(num_threads=1):
        want = bits(engine.evaluate(outputs, bindings))
    with config.config(num_threads=threads):
        assert bits(engine.evaluate(outputs, bindings)) == want


def test_avx2_and_avx512_give_the_same_bits() -> None:
    outputs, bindings = mixed_program()
    with config.config(target="x86-64-v3"):
        want = bits(engine.evaluate(outputs, bindings))
    assert bits(engine.evaluate(outputs, bindings)) == want


def test_sse2_differs_at_most_by_the_ulps_of_a_transcendental_function() -> None:
    outputs, bindings = mixed_program()
    with config.config(target="x86-64"):
        check(outputs, bindings)
    (a, b), exact = bound(rows(1), rows(2))
    plain = [op("divide", op("add", op("sqrt", op("absolute", a)), b), a), build.reduce("sum", b)]
    with config.config(target="x86-64"):
        want = bits(engine.evaluate(plain, exact))
    assert bits(engine.evaluate(plain, exact)) == want


def test_a_new_constant_or_length_compiles_nothing() -> None:
    from fuse.execution.code import codes

    def run(scale: float, length: int) -> None:
        (a,), bindings = bound(rows(1)[:length])
        check([op("multiply", op("cosh", a), build.constant(scale))], bindings)

    run(2.0, 10_000)
    before = codes.compiled
    run(3.5, 20_001)
    assert codes.compiled == before


def test_inputs_stay_as_they_are() -> None:
    array = rows(1)
    copy = array.copy()
    (a,), bindings = bound(array)
    engine.evaluate([op("negative", a), build.compress(a, op("greater", a, build.constant(0.0)))], bindings)
    assert array.tobytes() == copy.tobytes()


@pytest.mark.parametrize("text", ["", "a", "beta", "straße", "zz"])
@pytest.mark.parametrize("relation", ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"])
def test_text_against_a_constant(text: str, relation: str) -> None:
    words = np.random.default_rng(8).choice(
        ["", "a", "b", "beta", "betas", "straße", "strasse", "zoo", "😀"], 5000
    )
    encoded = [word.encode() for word in words.tolist()]
    offsets = np.concatenate([[0], np.cumsum([len(word) for word in encoded])]).astype(np.int64)
    column = TextArray(offsets, np.frombuffer(b"".join(encoded), np.uint8))
    node = build.new_input(column.dtype, column.shape)
    outputs = [op(relation, node, build.constant(text)), op(relation, build.constant(text), node)]
    check(outputs, {node: column})  # type: ignore[dict-item]  # text binds as its buffers
    assert len(kernels(outputs, [node])) == 1


def small_forest() -> ForestTables:
    """Two stumps: feature 1 at 0.5, feature 3 at -0.25."""
    return ForestTables.from_arrays(
        feature=np.array([1, 3]), threshold=np.array([0.5, -0.25]), left=np.array([~0, ~2]),
        right=np.array([~1, ~3]), flags=np.zeros(2), roots=np.array([0, 1]), output=np.zeros(2),
        leaf=np.array([1.0, 2.0, 10.0, 20.0]), categories=np.zeros(0), base=np.zeros(1),
    )  # fmt: skip


@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_models_over_a_matrix_in_memory(layout: str) -> None:
    matrix = np.random.default_rng(9).standard_normal((N // 2, 6))
    matrix = {"C": matrix, "F": np.asfortranarray(matrix), "strided": np.repeat(matrix, 2, 1)[:, ::2]}[layout]
    (m,), bindings = bound(matrix)
    weights = build.constant(np.random.default_rng(10).standard_normal((6, 3)))
    outputs = [build.forest(m, small_forest()), build.dot(m, weights), op("exp", build.column(m, 2))]
    check(outputs, bindings)
    columns = [build.column(m, j) for j in range(6)]
    spread = op("subtract", op("maximum", columns[0], columns[5]), op("minimum", columns[1], columns[3]))
    check([op("add", spread, op("multiply", columns[2], columns[4]))], bindings)
    kept = [build.compress(column, op("greater", columns[0], build.constant(0.0))) for column in columns]
    check([build.forest(build.stack(kept, 1), small_forest()), kept[3]], bindings)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_sums_are_no_worse_than_numpys(dtype: str, kind: str) -> None:
    ours, numpys = 0.0, 0.0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        array = (rng.random(300_000) if kind == "uniform" else rng.standard_normal(300_000)).astype(dtype)
        (a,), bindings = bound(array)
        exact = math.fsum(array.tolist())
        ours += abs(float(engine.evaluate([build.reduce("sum", a)], bindings)[0]) - exact)
        numpys += abs(float(array.sum()) - exact)
    assert ours <= 1.05 * numpys


def test_sums_of_infinities_and_of_negative_zeros() -> None:
    array = np.full(N, -0.0)
    (a,), bindings = bound(array)
    (total,) = engine.evaluate([build.reduce("sum", a)], bindings)
    assert total == 0.0
    assert np.signbit(total)
    for special in ([np.inf], [np.inf, -np.inf], [np.nan], [-np.inf, 1e308]):
        array[1000 : 1000 + len(special)] = special
        check([build.reduce("sum", a)], bindings)


@pytest.mark.parametrize("count", [3, 5000])
def test_positions_of_the_rows_that_a_mask_keeps(count: int) -> None:
    (mask,), bindings = bound(np.random.default_rng(1).random(count) < 0.5)
    check([build.iota(count_of(mask))], bindings)


def test_a_length_named_behind_two_filters() -> None:
    (a, b), bindings = bound(rows(1), rows(2))
    first = build.compress(a, op("greater", b, build.constant(0.0)))
    again = op("less", first, build.constant(0.5))
    ones = build.broadcast(build.constant(1), (count_of(again),))
    check([build.reduce("sum", ones)], bindings)


@pytest.mark.parametrize("lanes", [8, 16, 32])
@pytest.mark.parametrize("target", ["native", "x86-64-v4", "x86-64-v3", "x86-64"])
def test_survivors_of_every_width(lanes: int, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble, "choose_schedule", lambda *arguments: Schedule(lanes=lanes))
    names = ["bool", "int8", "int16", "float16", "float32", "float64"]
    nodes, bindings = bound(
        *((rows(seed) * 50)[: 3001 + lanes].astype(name) for seed, name in enumerate(names))
    )
    mask = op("less", nodes[-1], build.constant(10.0))
    with config.config(target=target, cache="0"):
        check([build.compress(node, mask) for node in nodes], bindings)
