"""Products and differences composed of ufuncs, sums and products: outer, kron, cross, einsum, gradient.

Floating-point contractions go to the matrix product of the graph. Integers wrap, so their sums of products
are exact in any order and of any wider dtype. Batched and larger contractions, bool and float16 are left to
NumPy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from fuse.integrations.numpy_array import joins
from fuse.integrations.numpy_array.base import LazyArray, Unsupported, from_node, lengths
from fuse.integrations.numpy_array.elementwise import call
from fuse.integrations.numpy_array.index_maps import settled
from fuse.integrations.numpy_array.layout import (
    as_array,
    basic,
    broadcast_to,
    expand_dims,
    ravel,
    reshape,
    transpose,
)
from fuse.integrations.numpy_array.operands import is_numeric, numbers_of
from fuse.integrations.numpy_array.storage import is_static
from fuse.ir import build
from fuse.ir.node import Node

_ALL = slice(None)


def _numeric(value: Any) -> LazyArray:
    found = as_array(value)
    if not is_numeric(found._dtype):
        raise Unsupported(f"arrays of dtype {found._dtype} are left to NumPy")
    return found


def _summable(dtype: np.dtype) -> np.dtype:
    """The dtype in which sums of products are taken."""
    if dtype.kind in "iu":
        return np.dtype(np.int64 if dtype.kind == "i" else np.uint64)
    if dtype.kind != "f" or dtype.itemsize < 4:
        raise Unsupported(f"products of dtype {dtype}")
    return dtype


def _summed(product: Node, axes: Sequence[int], dtype: np.dtype) -> LazyArray:
    """The sum over axes, in the dtype of the operands as NumPy's products have it."""
    total = build.reduce("sum", build.convert(product, _summable(dtype)), axes)
    return from_node(build.convert(total, dtype), scalar=not total.shape)


def _apply(ufunc: np.ufunc, *operands: Any) -> LazyArray:
    """The one result of a ufunc, recorded."""
    found = call(ufunc, operands)
    assert isinstance(found, LazyArray)
    return found


def outer(a: Any, b: Any, out: Any = None) -> Any:
    """`np.outer`, recorded."""
    left, right = ravel(_numeric(a)), ravel(_numeric(b))
    return call(np.multiply, (expand_dims(left, 1), expand_dims(right, 0)), out=out)


def inner(a: Any, b: Any) -> Any:
    """`np.inner`, recorded, of numbers, vectors and matrices."""
    left, right = _numeric(a), _numeric(b)
    if not left._dims or not right._dims:
        return _apply(np.multiply, left, right)
    if left._dims[-1] != right._dims[-1]:
        raise Unsupported("other lengths")
    if len(left._dims) == 1 == len(right._dims):
        return _vectors(left, right)
    return joins.dot(left, right if len(right._dims) == 1 else transpose(right))


def vdot(a: Any, b: Any, /) -> Any:
    """`np.vdot`, recorded: all elements of one with all of the other."""
    left, right = ravel(_numeric(a)), ravel(_numeric(b))
    if left._dims != right._dims:
        raise Unsupported("other lengths")
    return _vectors(left, right)


def _vectors(left: LazyArray, right: LazyArray) -> Any:
    if np.result_type(left._dtype, right._dtype).kind == "f":
        return joins.dot(left, right)
    found = _apply(np.multiply, left, right)
    return _summed(found._node, (0,), found._dtype)


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """`np.dot`, recorded; a number multiplies, vectors of integers are summed in the loop.

    Floats times a number NumPy leaves to BLAS, where zero times infinity is zero.
    """
    left, right = as_array(a), as_array(b)
    if out is None and (not left._dims or not right._dims):
        if "f" in (left._dtype.kind, right._dtype.kind):
            raise Unsupported("floats times a number")
        return _apply(np.multiply, left, right)
    ranks = len(left._dims), len(right._dims)
    if out is None and ranks == (1, 1) and left._dims == right._dims and left._dtype.kind in "iu":
        return _vectors(left, right)
    return joins.dot(a, b, out)


def kron(a: Any, b: Any) -> Any:
    """`np.kron`, recorded."""
    left, right = settled(_numeric(a)), settled(_numeric(b))
    if not left._dims or not right._dims:
        return _apply(np.multiply, left, right)
    rank = max(len(left._dims), len(right._dims))
    wide = [reshape(x, (1,) * (rank - len(x._dims)) + lengths(x)) for x in (left, right)]
    shape = tuple(m * n for m, n in zip(lengths(wide[0]), lengths(wide[1]), strict=True))
    apart = expand_dims(wide[0], tuple(range(1, 2 * rank, 2)))
    found = _apply(np.multiply, apart, expand_dims(wide[1], tuple(range(0, 2 * rank, 2))))
    return from_node(build.reshape(found._node, shape))


def cross(a: Any, b: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None) -> Any:
    """`np.cross`, recorded, of vectors of three."""
    if axis is not None:
        axisa = axisb = axisc = axis
    left, right = _components(a, axisa), _components(b, axisb)
    common = np.promote_types(left[0]._dtype, right[0]._dtype)
    if common.kind == "b":
        raise Unsupported("bools, which cannot be subtracted")
    u, v = ([from_node(build.convert(part._node, common)) for part in parts] for parts in (left, right))
    found = [
        _apply(np.subtract, _apply(np.multiply, u[i], v[j]), _apply(np.multiply, u[j], v[i]))
        for i, j in ((1, 2), (2, 0), (0, 1))
    ]
    return joins.stack(found, normalize_axis_index(axisc, len(found[0]._dims) + 1))


def _components(value: Any, axis: Any) -> list[LazyArray]:
    found = _numeric(value)
    rank = len(found._dims)
    if not rank or not isinstance(axis, int) or not -rank <= axis < rank or found._dims[axis] != 3:
        raise Unsupported("vectors of another length than three")
    before = (_ALL,) * (axis % rank)
    return [as_array(basic(found, (*before, i, Ellipsis))) for i in range(3)]


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """`np.ediff1d`, recorded."""
    flat = ravel(_numeric(ary))
    if flat._dtype.kind == "b":
        raise Unsupported("bools, which cannot be subtracted")
    differences = _apply(np.subtract, basic(flat, (slice(1, None),)), basic(flat, (slice(None, -1),)))
    parts = [_border(to_begin, flat._dtype), [differences], _border(to_end, flat._dtype)]
    nodes = [part._node for found in parts for part in found]
    return from_node(build.concatenate(nodes, 0))


def _border(values: Any, dtype: np.dtype) -> list[LazyArray]:
    if values is None:
        return []
    found = ravel(from_node(numbers_of(values)))
    if not np.can_cast(found._dtype, dtype, "same_kind"):
        raise Unsupported("values of another kind")
    return [from_node(build.convert(found._node, dtype))]


# gradient


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    """`np.gradient`, recorded, for even spacing."""
    found = settled(_numeric(f))
    rank = len(found._dims)
    axes = tuple(range(rank)) if axis is None else normalize_axis_tuple(axis, rank)
    spacings = _spacings(varargs, len(axes))
    if edge_order not in (1, 2) or found._dtype.kind == "b" or not axes:
        raise Unsupported("an order of the edges, or a dtype, that NumPy refuses")
    if any(lengths(found)[which] < edge_order + 1 for which in axes):
        raise Unsupported("too few elements")
    if found._dtype.kind in "iu":
        found = from_node(build.convert(found._node, np.float64))
    slopes = tuple(_slope(found, which, h, edge_order) for which, h in zip(axes, spacings, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _spacings(given: Sequence[Any], count: int) -> Sequence[float]:
    if any(type(spacing) not in (int, float) or not spacing for spacing in given):
        raise Unsupported("uneven spacing")
    if len(given) not in (0, 1, count):
        raise Unsupported("another number of spacings")
    return list(given) if len(given) == count else [*given, 1.0][:1] * count


def _slope(f: LazyArray, axis: int, h: float, edge_order: int) -> LazyArray:
    def at(start: int | None, stop: int | None) -> LazyArray:
        return basic(f, (*(_ALL,) * axis, slice(start, stop)))

    inside = _apply(np.divide, _apply(np.subtract, at(2, None), at(None, -2)), 2.0 * h)
    if edge_order == 1:
        first = _apply(np.divide, _apply(np.subtract, at(1, 2), at(0, 1)), h)
        last = _apply(np.divide, _apply(np.subtract, at(-1, None), at(-2, -1)), h)
    else:
        first = _weighted((at(0, 1), at(1, 2), at(2, 3)), (-1.5 / h, 2.0 / h, -0.5 / h))
        last = _weighted((at(-3, -2), at(-2, -1), at(-1, None)), (0.5 / h, -2.0 / h, 1.5 / h))
    return from_node(build.concatenate([first._node, inside._node, last._node], axis))


def _weighted(values: Sequence[LazyArray], weights: Sequence[float]) -> LazyArray:
    terms = [_apply(np.multiply, weight, value) for weight, value in zip(weights, values, strict=True)]
    total: LazyArray = functools.reduce(lambda left, right: _apply(np.add, left, right), terms)
    return total


# einsum


def einsum(*operands: Any, **options: Any) -> Any:
    """`np.einsum`, recorded, of one or two operands whose labels do not repeat.

    One operand is transposed and summed. Two are multiplied and summed when one of them has all labels, or
    nothing is summed; a contraction of two matrices is a matrix product.
    """
    subscripts, *arrays = operands
    if options or not isinstance(subscripts, str) or not 1 <= len(arrays) <= 2:
        raise Unsupported("options, or several operands")
    labels, target = _labels(subscripts, len(arrays))
    found = [settled(_numeric(array)) for array in arrays]
    if any(len(array._dims) != len(own) for array, own in zip(found, labels, strict=True)):
        raise Unsupported("labels for other axes")
    if len(found) == 1:
        return _einsum_one(found[0], labels[0], target)
    return _einsum_two(found, labels, target)


def _labels(subscripts: str, count: int) -> tuple[list[str], str]:
    inputs, arrow, target = subscripts.replace(" ", "").partition("->")
    labels = inputs.split(",")
    if not arrow:
        target = "".join(sorted(c for c in set(inputs) - {","} if inputs.count(c) == 1))
    is_plain = all(part.isalpha() and len(set(part)) == len(part) for part in labels)
    if len(labels) != count or not is_plain or len(set(target)) != len(target):
        raise Unsupported("repeated labels or an ellipsis")
    if not set(target) <= set("".join(labels)):
        raise Unsupported("a label of the result only")
    return labels, target


def _einsum_one(array: LazyArray, labels: str, target: str) -> Any:
    summed = [label for label in labels if label not in target]
    moved = transpose(array, [labels.index(label) for label in (*target, *summed)])
    if not summed:
        return moved
    return _summed(moved._node, range(len(target), len(labels)), array._dtype)


def _einsum_two(arrays: Sequence[LazyArray], labels: Sequence[str], target: str) -> Any:
    left, right = map(set, labels)
    lengths_of: dict[str, Any] = {}
    for array, own in zip(arrays, labels, strict=True):
        for label, dim in zip(own, array._dims, strict=True):
            if lengths_of.setdefault(label, dim) != dim:
                raise Unsupported("lengths that differ")
    if set(target) == left | right or left | right in (left, right):
        return _multiplied(arrays, labels, target)
    shared = left & right
    if shared & set(target) or not shared or left ^ right != set(target):
        raise Unsupported("a batch of products, or a sum of one operand")
    return _contracted(arrays, labels, target, lengths_of)


def _multiplied(arrays: Sequence[LazyArray], labels: Sequence[str], target: str) -> Any:
    every = (*target, *sorted(set("".join(labels)) - set(target)))
    aligned = []
    for array, own in zip(arrays, labels, strict=True):
        moved = transpose(array, [own.index(label) for label in every if label in own])
        missing = tuple(i for i, label in enumerate(every) if label not in own)
        aligned.append(expand_dims(moved, missing) if missing else moved)
    product = _apply(np.multiply, *aligned)
    if len(every) == len(target):
        return product
    return _summed(product._node, range(len(target), len(every)), product._dtype)


def _contracted(
    arrays: Sequence[LazyArray], labels: Sequence[str], target: str, lengths_of: Mapping[str, int]
) -> LazyArray:
    shared = [label for label in labels[0] if label in labels[1]]
    free = [[label for label in own if label not in shared] for own in labels]
    left = _flattened(arrays[0], labels[0], (free[0], shared), lengths_of)
    right = _flattened(arrays[1], labels[1], (shared, free[1]), lengths_of)
    found: LazyArray = joins.dot(left, right)
    order = [*free[0], *free[1]]
    shaped = reshape(found, tuple(lengths_of[label] for label in order))
    return from_node(transpose(shaped, [order.index(label) for label in target])._node)


def _flattened(
    array: LazyArray, labels: str, groups: Sequence[Sequence[str]], lengths_of: Mapping[str, int]
) -> LazyArray:
    """A matrix with one axis for each group of labels."""
    moved = transpose(array, [labels.index(label) for group in groups for label in group])
    shape = tuple(int(np.prod([lengths_of[label] for label in group])) for group in groups)
    return reshape(moved, shape)


def array_equiv(a1: Any, a2: Any) -> bool:
    """`np.array_equiv`: a plain bool, so it is evaluated."""
    left, right = _numeric(a1), _numeric(a2)
    try:
        np.broadcast_shapes(lengths(left), lengths(right))
    except ValueError:
        return False
    same = _apply(np.equal, left, right)
    return bool(from_node(build.reduce("all", same._node))._observe())


def real(val: Any) -> Any:
    """`np.real`, a view: of real numbers themselves."""
    found = as_array(val)
    return found.real if found._dtype.kind == "c" else _numeric(found)  # type: ignore[attr-defined]  # the class has it


def imag(val: Any) -> LazyArray:
    """`np.imag`, a view: of real numbers zeros that cannot be written to."""
    if as_array(val)._dtype.kind == "c":
        return as_array(val).imag  # type: ignore[attr-defined,no-any-return]  # the class has it
    found = _numeric(val)
    zero = from_node(build.constant(0, found._dtype), scalar=found._scalar)
    return zero if found._scalar else broadcast_to(zero, lengths(found))


def _always(answer: bool) -> Callable[[Any], LazyArray]:
    def test(x: Any) -> LazyArray:
        found = _numeric(x)
        if not found._dims or not is_static(found._dims):
            raise Unsupported("a number, or lengths that are not known")
        return from_node(build.broadcast(build.constant(answer), found._dims))

    return test


VIEWING: Sequence[Callable[..., Any]] = (np.einsum, np.real, np.imag)
"""Functions whose results may be views of their argument."""

FUNCTIONS: Mapping[Callable[..., Any], Callable[..., Any]] = {
    np.outer: outer, np.inner: inner, np.vdot: vdot, np.dot: dot, np.kron: kron, np.cross: cross,
    np.ediff1d: ediff1d, np.gradient: gradient, np.einsum: einsum, np.array_equiv: array_equiv,
    np.real: real, np.imag: imag, np.isreal: _always(True), np.iscomplex: _always(False),
}  # fmt: skip
