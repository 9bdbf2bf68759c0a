"""The interpreter is the meaning: each op against NumPy written out, dtype and shape as the op table says."""

from collections.abc import Callable

import numpy as np
import pytest

from fuse.errors import VerifyError
from fuse.ir import build
from fuse.ir.forest import CATEGORICAL, DEFAULT_LEFT, MISSING_NAN, MISSING_ZERO, ForestTables
from fuse.ir.interpret import INTERPRETED, interpret
from fuse.ir.node import Node, make, walk
from fuse.ir.ops import OPS, REDUCTIONS, identity
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Symbol, Type
from tests.fuzz.compare import same_bits
from tests.fuzz.data import DTYPES, random_array
from tests.fuzz.graphs import random_program

N = Symbol("n")
F8 = np.dtype(np.float64)
MATRIX = np.arange(12.0).reshape(3, 4)
MASK = np.array([True, False, True])


def given(array: np.ndarray) -> tuple[Node, np.ndarray]:
    return build.new_input(array.dtype, array.shape), array


def value(node: Node, *pairs: tuple[Node, np.ndarray]) -> np.ndarray:
    (result,) = interpret([node], dict(pairs))
    assert result.dtype == node.dtype
    assert result.shape == tuple(node.shape) or any(not isinstance(n, int) for n in node.shape)
    return np.asarray(result)


def test_every_op_has_a_meaning() -> None:
    assert frozenset(OPS) == INTERPRETED


NO_UFUNCS = {"select", "real", "imag", "complex", "isnat", "erf", "erfc", "gammaln"}


@pytest.mark.parametrize("op", sorted(set(SCALAR_OPS) - NO_UFUNCS))
def test_elementwise_ops_are_numpy_for_every_dtype(op: str) -> None:
    """Every loop of the ufunc over the twelve dtypes: the bits and the dtype of the ufunc itself."""
    ufunc, rng, tried = getattr(np, op), np.random.default_rng(0), 0
    for dtype in DTYPES:
        try:
            dtypes = ufunc.resolve_dtypes((*[dtype] * ufunc.nin, None))[: ufunc.nin]
        except TypeError:
            continue
        arrays = [random_array(each, (9,), rng) for each in dtypes]
        if op == "power" and dtypes[-1].kind in "iu":
            arrays[-1] = arrays[-1] & 3
        pairs = [given(array) for array in arrays]
        with np.errstate(all="ignore"):
            want = ufunc(*arrays)
        assert same_bits(value(build.elementwise(op, *(node for node, _ in pairs)), *pairs), want)
        tried += 1
    assert tried or op == "ldexp"


@pytest.mark.parametrize("op", ["erf", "erfc", "gammaln"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_functions_are_scipy(op: str, dtype: type) -> None:
    import scipy.special

    x, data = given(np.array([-1.5, -0.0, 0.5, np.inf, -np.inf, np.nan], dtype))
    assert same_bits(value(build.elementwise(op, x), (x, data)), getattr(scipy.special, op)(data))


def test_select_isnat_and_ldexp() -> None:
    pairs = [given(array) for array in (MASK, np.arange(3), np.arange(3) * -1)]
    assert same_bits(
        value(build.elementwise("select", *(n for n, _ in pairs)), *pairs), np.where(*(a for _, a in pairs))
    )
    times = np.array(["NaT", "2020-01-01"], "datetime64[ns]")
    t, data = given(times)
    assert same_bits(value(build.elementwise("isnat", t), (t, data)), np.isnat(times))
    (x, a), (e, b) = given(np.array([1.5, -2.0])), given(np.array([3, -1], np.int32))
    assert same_bits(value(build.elementwise("ldexp", x, e), (x, a), (e, b)), np.ldexp(a, b))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_complex_numbers_and_their_parts(dtype: type) -> None:
    (x, a), (y, b) = given(np.array([1, np.inf, -0.0], dtype)), given(np.array([np.nan, -0.0, np.inf], dtype))
    made = build.elementwise("complex", x, y)
    assert made.dtype == np.result_type(dtype, np.complex64)
    assert same_bits(value(build.elementwise("real", made), (x, a), (y, b)), a)
    assert same_bits(value(build.elementwise("imag", made), (x, a), (y, b)), b)


@pytest.mark.parametrize(
    ("make_node", "expected"),
    [
        (lambda x: build.convert(x, np.int8), lambda a: a.astype(np.int8)),
        (lambda x: build.bitcast(x, np.int64), lambda a: a.view(np.int64)),
        (lambda x: build.broadcast(x, (2, 3, 4)), lambda a: np.broadcast_to(a, (2, 3, 4))),
        (lambda x: build.reshape(x, (6, 2)), lambda a: a.reshape(6, 2)),
        (lambda x: build.transpose(x, (1, 0)), lambda a: a.T),
        (lambda x: build.slice_(x, [(None, None, -1), (1, -1, 2)]), lambda a: a[::-1, 1:-1:2]),
        (lambda x: build.concatenate([x, x], 1), lambda a: np.concatenate([a, a], 1)),
        (lambda x: build.stack([x, x], 2), lambda a: np.stack([a, a], 2)),
        (lambda x: build.gather(x, build.constant([2, -1, 0])), lambda a: a[[2, -1, 0]]),
        (lambda x: build.gather(x, build.constant([7, -5]), "clip"), lambda a: a[[2, 0]]),
        (lambda x: build.compress(x, build.constant(MASK)), lambda a: a[MASK]),
        (lambda x: build.column(x, 2), lambda a: a[:, 2]),
        (lambda x: build.arg_reduce("argmax", x, 1), lambda a: a.argmax(1)),
        (lambda x: build.arg_reduce("argmin", x, 0), lambda a: a.argmin(0)),
        (lambda x: build.dot(x, build.constant(MATRIX.T)), lambda a: a @ MATRIX.T),
        (lambda x: build.update_slice(x, build.constant(np.ones((1, 4))), [(1, 2, None), (None,) * 3]),
         lambda a: np.vstack([a[:1], np.ones((1, 4)), a[2:]])),
        (lambda x: build.iota(3, np.float32), lambda a: np.arange(3, dtype=np.float32)),
        (lambda x: build.constant([[1, 2]]), lambda a: np.array([[1, 2]])),
        (lambda x: make("opaque", (x,), {"function": np.cumsum, "type": Type(F8, (12,))}), np.cumsum),
    ],
)  # fmt: skip
def test_shape_index_and_contraction_ops(
    make_node: Callable[[Node], Node], expected: Callable[[np.ndarray], np.ndarray]
) -> None:
    x, data = given(MATRIX)
    assert same_bits(value(make_node(x), (x, data)), np.asarray(expected(data)))


@pytest.mark.parametrize("kind", sorted(REDUCTIONS))
@pytest.mark.parametrize("axes", [None, (0,), (1,), (0, 1), ()])
def test_reductions(kind: str, axes: tuple[int, ...] | None) -> None:
    data = MATRIX > 3 if kind in ("any", "all") else MATRIX - 5
    ufunc = {"sum": np.add, "prod": np.multiply, "min": np.minimum, "max": np.maximum, "fmin": np.fmin,
             "fmax": np.fmax, "any": np.logical_or, "all": np.logical_and}[kind]  # fmt: skip
    x, data = given(data)
    want = ufunc.reduce(data, axis=(0, 1) if axes is None else axes)
    assert same_bits(value(build.reduce(kind, x, axes), (x, data)), np.asarray(want))


TAKEN = [
    (kind, dtype)
    for kind in sorted(REDUCTIONS)
    for dtype in DTYPES
    if kind not in ("any", "all") or dtype.kind == "b"
]


@pytest.mark.parametrize(("kind", "dtype"), TAKEN)
def test_the_identity_of_a_reduction_changes_nothing(kind: str, dtype: np.dtype) -> None:
    x, empty = given(np.zeros(0, dtype))
    neutral = value(build.reduce(kind, x), (x, empty))
    assert same_bits(neutral, identity(kind, dtype))
    data = random_array(dtype, (20,), np.random.default_rng(0))
    data = data[~np.isnan(data)] if dtype.kind == "f" else data
    y, pair = given(np.repeat(data[:, None], 2, 1))
    pair[:, 1] = neutral
    assert np.array_equal(value(build.reduce(kind, y, [1]), (y, pair)), data)


def test_masked_scatter_fills_in_order() -> None:
    (base, a), (mask, m), (new, v) = given(np.zeros(3)), given(MASK), given(np.array([5.0, 7.0]))
    got = value(build.masked_scatter(base, mask, new), (base, a), (mask, m), (new, v))
    assert same_bits(got, np.array([5.0, 0.0, 7.0]))
    assert not a.any()


def test_lengths_of_filters_are_known_downstream() -> None:
    x = build.new_input(F8, (N,))
    mask = build.elementwise("greater", x, build.constant(1.0))
    kept = build.compress(x, mask)
    ones = build.broadcast(build.constant(1.0), kept.shape)
    assert same_bits(value(build.elementwise("add", kept, ones), (x, np.arange(4.0))), np.array([3.0, 4.0]))


def test_a_gather_out_of_range_raises_as_numpy() -> None:
    x, data = given(MATRIX)
    with pytest.raises(IndexError, match="index 3 is out of bounds for axis 0 with size 3"):
        value(build.gather(x, build.constant([3])), (x, data))


def stump(**fields: object) -> ForestTables:
    """One test of feature 0: leaf 1.0 on the left, 2.0 on the right."""
    arrays = {
        "feature": [0], "threshold": [0.0], "left": [~0], "right": [~1], "flags": [0], "roots": [0],
        "output": [0],        "leaf": [1.0, 2.0], "categories": [], "base": [0.0],
    } | fields  # fmt: skip
    return ForestTables.from_arrays(**{name: np.array(array) for name, array in arrays.items()})


@pytest.mark.parametrize(
    ("fields", "inputs", "leaves"),
    [
        ({}, [-1.0, 0.0, 1e-300, np.nan, np.inf, -np.inf], [1, 1, 2, 1, 2, 1]),
        ({"flags": [MISSING_NAN]}, [np.nan, -1.0], [2, 1]),
        ({"flags": [MISSING_NAN | DEFAULT_LEFT]}, [np.nan, 1.0], [1, 2]),
        ({"flags": [MISSING_ZERO], "threshold": [-1.0]}, [np.nan, 0.0, 1e-36, -2.0], [2, 2, 2, 1]),
        (
            {"flags": [MISSING_ZERO | DEFAULT_LEFT], "threshold": [-1.0]},
            [np.nan, 0.0, 1e-36, 1.0],
            [1, 1, 1, 2],
        ),
        (
            {"flags": [CATEGORICAL], "categories": [1, 0b110]},
            [1.0, 2.9, 0.0, -1.0, np.nan, 40.0, 3e9],
            [1, 1, 2, 2, 2, 2, 2],
        ),
        ({"roots": [~1], "feature": [], "threshold": [], "left": [], "right": [], "flags": []}, [3.0], [2]),
    ],
)
def test_forest_semantics(fields: dict[str, object], inputs: list[float], leaves: list[float]) -> None:
    x, data = given(np.array(inputs)[:, None])
    np.testing.assert_array_equal(value(build.forest(x, stump(**fields)), (x, data))[:, 0], leaves)


def test_leaves_are_added_tree_by_tree_to_their_output() -> None:
    tables = stump(roots=[0, 0, ~1], output=[0, 1, 1], base=[10.0, 20.0])
    x, data = given(np.array([[-1.0], [1.0]]))
    np.testing.assert_array_equal(value(build.forest(x, tables), (x, data)), [[11.0, 23.0], [12.0, 24.0]])
    assert tables.tree_count == 3


def test_a_leaf_holds_a_value_for_each_of_several_outputs() -> None:
    tables = stump(roots=[0, ~1], output=[0, 1], leaf=[[1.0, 2.0], [4.0, 8.0]], base=[10.0, 20.0, 30.0])
    x, data = given(np.array([[-1.0], [1.0]]))
    found = value(build.forest(x, tables), (x, data))
    np.testing.assert_array_equal(found, [[11.0, 26.0, 38.0], [14.0, 32.0, 38.0]])
    assert tables.width == 2


def test_values_beyond_the_outputs_are_refused() -> None:
    tables = stump(output=[1], leaf=[[1.0, 2.0], [4.0, 8.0]], base=[0.0, 0.0])
    x, _ = given(np.zeros((2, 1)))
    with pytest.raises(VerifyError, match="add 2 values from outputs 1 to 1 on; it has 2 outputs"):
        build.forest(x, tables)


@pytest.mark.fuzz
def test_values_have_the_dtype_and_shape_of_their_nodes() -> None:
    for seed in range(60):
        program = random_program(seed)
        nodes = list(walk(program.outputs))
        for node, array in zip(nodes, interpret(nodes, program.bindings()), strict=True):
            assert array.dtype == node.dtype, node
            assert len(array.shape) == len(node.shape), node
            known = [
                (n, actual) for n, actual in zip(node.shape, array.shape, strict=True) if isinstance(n, int)
            ]
            assert all(n == actual for n, actual in known), node
