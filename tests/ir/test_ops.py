"""The op table refuses what has no meaning, with both sides in the message."""

from collections.abc import Callable

import numpy as np
import pytest

from fuse.errors import VerifyError
from fuse.ir import build
from fuse.ir.node import Node, make
from fuse.ir.ops import OPS
from fuse.ir.scalar_ops import SCALAR_OPS, ufunc_result
from fuse.ir.types import Symbol

F8, BOOL = np.dtype(np.float64), np.dtype(bool)
N, M = Symbol("n"), Symbol("m")


def x(dtype: np.dtype = F8, shape: tuple[object, ...] = (N,)) -> Node:
    return build.new_input(dtype, shape)  # type: ignore[arg-type]


REFUSED: dict[str, tuple[Callable[[], Node], str]] = {
    "two dtypes": (lambda: build.elementwise("add", x(), x(np.dtype(np.float32))), "convert first"),
    "two lengths": (lambda: build.elementwise("add", x(), x(shape=(M,))), "broadcast first"),
    "arity": (lambda: build.elementwise("add", x()), "add takes 2 operands, not 1"),
    "no loop": (lambda: build.elementwise("bitwise_and", x(), x()), "has no loop for float64"),
    "select of numbers": (lambda: build.elementwise("select", x(), x(), x()), "select takes bool"),
    "erf of integers": (lambda: build.elementwise("erf", x(np.dtype(np.int64))), "floating-point"),
    "bitcast to another size": (lambda: build.bitcast(x(), np.float32), "item sizes differ"),
    "broadcast to fewer axes": (lambda: build.broadcast(x(shape=(2, 3)), (3,)), "cannot broadcast"),
    "broadcast of a length": (lambda: build.broadcast(x(shape=(2,)), (3,)), "cannot broadcast"),
    "reshape to another size": (lambda: build.reshape(x(shape=(2, 3)), (5,)), "cannot reshape"),
    "no permutation": (lambda: build.transpose(x(shape=(2, 3)), (0, 0)), "no permutation"),
    "too few slices": (lambda: build.slice_(x(shape=(2, 3)), [(1, None, None)]), "1 slices"),
    "stack of two types": (lambda: build.stack([x(), x(shape=(M,))]), "cannot stack"),
    "concatenate of two dtypes": (lambda: build.concatenate([x(), x(BOOL)]), "cannot concatenate"),
    "gather by floats": (lambda: build.gather(x(), x()), "gather from"),
    "compress by numbers": (lambda: build.compress(x(), x()), "compress of"),
    "compress by another length": (lambda: build.compress(x(), x(BOOL, (M,))), "compress of"),
    "masked_scatter of a matrix": (
        lambda: build.masked_scatter(x(), x(BOOL), x(shape=(2, 2))),
        "masked_scatter of",
    ),
    "update_slice of another shape": (
        lambda: build.update_slice(x(shape=(4,)), x(shape=(3,)), [(0, 2, 1)]),
        "which takes",
    ),
    "any of numbers": (lambda: build.reduce("any", x()), "any takes bool, not float64"),
    "unknown reduction": (lambda: build.reduce("median", x()), "unknown reduction 'median'"),
    "axis out of range": (lambda: make("reduce", (x(),), {"kind": "sum", "axes": (1,)}), "axes"),
    "dot of two lengths": (lambda: build.dot(x(shape=(2, 3)), x(shape=(2,))), "contracted lengths differ"),
    "dot of three axes": (lambda: build.dot(x(shape=(2, 3, 4)), x(shape=(4,))), "dot of"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    make_node, message = REFUSED[name]
    with pytest.raises(VerifyError, match=message):
        make_node()


@pytest.mark.parametrize("name", sorted(OPS))
def test_rows_are_complete(name: str) -> None:
    row = OPS[name]
    assert row.name == name
    assert row.summary
    assert (OPS[name].kind == "elementwise") == (name in SCALAR_OPS or name in ("convert", "bitcast"))


def test_scalar_rows_agree_with_numpy() -> None:
    for name, row in SCALAR_OPS.items():
        if isinstance(getattr(np, name, None), np.ufunc):
            assert row.arity == getattr(np, name).nin
        assert row.cost >= 0
        assert all(0 <= place < row.arity for place in row.immediate)


@pytest.mark.parametrize("name", [name for name, row in SCALAR_OPS.items() if row.commutative])
def test_commutative_ops_commute_by_bits(name: str) -> None:
    dtype = np.dtype(bool) if name.startswith("logical") else np.dtype(np.int32)
    a, b = np.array([0, 1, 3, -7, 100]).astype(dtype), np.array([5, 1, -3, 2, 100]).astype(dtype)
    assert np.array_equal(SCALAR_OPS[name].meaning(a, b), SCALAR_OPS[name].meaning(b, a))


def test_results_follow_numpy_promotion_rules() -> None:
    assert ufunc_result("divide", (np.dtype(np.float32),) * 2) == np.float32
    assert ufunc_result("less", (F8, F8)) == BOOL
    with pytest.raises(VerifyError, match="divide takes float64, float64, not int64, int64; convert first"):
        ufunc_result("divide", (np.dtype(np.int64),) * 2)
