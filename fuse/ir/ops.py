"""The op table: the language of the graph, a row per op with its type rule and its meaning in NumPy.

Semantics, for every row:
- Values are arrays and never change. An op gives a new value; nothing aliases.
- Integers wrap; floating point is IEEE in NumPy's order, never reassociated, except inside `reduce` and
  `dot`, whose summation order is the compiler's (error no worse than NumPy's pairwise sum, and fixed: it
  depends on neither threads nor vector width). A `scan` adds one element after the other, as NumPy does.
- NaN, infinities, signed zeros and division by zero behave as in NumPy; no warning is part of the meaning.
- An op may be fused, recomputed or dropped freely, except `opaque`, which runs exactly once.
- `gather` with mode "raise" may fail; the failure is raised when a value is observed.

Attributes are hashable: ints, strings, dtypes, dimensions, tuples of them, `ConstantArray`. A float is never
an attribute (floats compare by value, constants by bits).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fuse.errors import VerifyError
from fuse.ir.scalar_ops import SCALAR_OPS, infer_elementwise
from fuse.ir.types import STRING, Count, Dim, Shape, Type, element_count, size

Kind = Literal["source", "elementwise", "shape", "index", "reduce", "contraction", "model", "opaque"]
Infer = Callable[[tuple[Type, ...], Mapping[str, Any]], Type]

REDUCTIONS = frozenset({"sum", "prod", "min", "max", "fmin", "fmax", "any", "all"})


@dataclass(frozen=True)
class Op:
    """A row: name, what kind of op, its attributes, and the rule that types it."""

    name: str
    kind: Kind
    attrs: tuple[str, ...]
    infer: Infer
    summary: str


def _typed_by_attr(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    result: Type = attrs["type"]
    return result


def _constant(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    array = attrs["value"].array
    return Type(STRING if array.dtype.kind == "T" else array.dtype, array.shape)


def _iota(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    return Type(attrs["dtype"], (attrs["length"],))


def _convert(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    return types[0].with_dtype(attrs["dtype"])


def _bitcast(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    if attrs["dtype"].itemsize != types[0].dtype.itemsize:
        raise VerifyError(f"bitcast from {types[0].dtype} to {attrs['dtype']}: the item sizes differ")
    return types[0].with_dtype(attrs["dtype"])


def _broadcast(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    shape: Shape = attrs["shape"]
    source = types[0].shape
    aligned = shape[len(shape) - len(source) :]
    if len(source) > len(shape) or any(a not in (1, b) for a, b in zip(source, aligned, strict=True)):
        raise VerifyError(f"cannot broadcast {source} to {shape}")
    return types[0].with_shape(shape)


def _reshape(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    if element_count(types[0].shape) != element_count(attrs["shape"]):
        raise VerifyError(f"cannot reshape {types[0].shape} to {attrs['shape']}")
    return types[0].with_shape(attrs["shape"])


def _transpose(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    axes = attrs["axes"]
    if sorted(axes) != list(range(types[0].rank)):
        raise VerifyError(f"axes {axes} are no permutation of the axes of {types[0]}")
    return types[0].with_shape(tuple(types[0].shape[axis] for axis in axes))


def _slice(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    slices = attrs["slices"]
    if len(slices) != types[0].rank:
        raise VerifyError(f"{len(slices)} slices for {types[0]}")
    return types[0].with_shape(
        tuple(size("slice", n, *s) for n, s in zip(types[0].shape, slices, strict=True))
    )


def _concatenate(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    axis = attrs["axis"]
    rest = {operand.shape[:axis] + operand.shape[axis + 1 :] for operand in types}
    if len(rest) != 1 or len({operand.dtype for operand in types}) != 1:
        raise VerifyError(f"cannot concatenate {', '.join(map(str, types))} along axis {axis}")
    length = size("add", *(operand.shape[axis] for operand in types))
    shape = types[0].shape
    return types[0].with_shape((*shape[:axis], length, *shape[axis + 1 :]))


def _stack(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    axis = attrs["axis"]
    if len(set(types)) != 1:
        raise VerifyError(f"cannot stack {', '.join(map(str, types))}")
    shape = types[0].shape
    return types[0].with_shape((*shape[:axis], len(types), *shape[axis:]))


def _gather(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    table, indices = types
    if indices.dtype.kind not in "iu" or not table.rank:
        raise VerifyError(f"gather from {table} by {indices}")
    return table.with_shape(indices.shape + table.shape[1:])


def _compress(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    value, mask = types
    if mask.dtype != np.dtype(bool) or mask.rank != 1 or value.shape[:1] != mask.shape:
        raise VerifyError(f"compress of {value} by {mask}")
    count: Dim = attrs["count"]
    return value.with_shape((count, *value.shape[1:]))


def _masked_scatter(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    base, mask, values = types
    if (
        mask.shape != base.shape
        or mask.dtype != np.dtype(bool)
        or values.dtype != base.dtype
        or values.rank != 1
    ):
        raise VerifyError(f"masked_scatter of {values} into {base} by {mask}")
    return base


def _update_slice(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    base, values = types
    target = _slice((base,), attrs).shape
    if values.dtype != base.dtype or values.shape != target:
        raise VerifyError(f"update_slice of {values} into {base}, which takes {target}")
    return base


def _reduce(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    operand, kind, axes = types[0], attrs["kind"], attrs["axes"]
    if kind not in REDUCTIONS:
        raise VerifyError(f"unknown reduction {kind!r}; there are {', '.join(sorted(REDUCTIONS))}")
    if kind in ("any", "all") and operand.dtype != np.dtype(bool):
        raise VerifyError(f"{kind} takes bool, not {operand.dtype}; convert first")
    return operand.with_shape(_without(operand.shape, axes))


def _scan(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    operand, kind = types[0], attrs["kind"]
    if kind not in REDUCTIONS:
        raise VerifyError(f"unknown scan {kind!r}; there are {', '.join(sorted(REDUCTIONS))}")
    if kind in ("any", "all") and operand.dtype != np.dtype(bool):
        raise VerifyError(f"{kind} takes bool, not {operand.dtype}; convert first")
    _without(operand.shape, (attrs["axis"],))
    return operand


def _arg_reduce(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    return Type(np.dtype(np.intp), _without(types[0].shape, (attrs["axis"],)))


def _without(shape: Shape, axes: tuple[int, ...]) -> Shape:
    if any(not 0 <= axis < len(shape) for axis in axes):
        raise VerifyError(f"axes {axes} of shape {shape}")
    return tuple(n for axis, n in enumerate(shape) if axis not in axes)


def _dot(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    left, right = types
    if left.dtype != right.dtype or left.rank not in (1, 2) or right.rank not in (1, 2):
        raise VerifyError(f"dot of {left} and {right}")
    if left.shape[-1] != right.shape[0]:
        raise VerifyError(f"dot of {left} and {right}: the contracted lengths differ")
    return left.with_shape(left.shape[:-1] + right.shape[1:])


def _forest(types: tuple[Type, ...], attrs: Mapping[str, Any]) -> Type:
    features = types[0]
    if features.rank != 2 or features.dtype.kind != "f":
        raise VerifyError(f"forest over {features}; it takes a floating-point matrix of rows and features")
    tables, outputs = attrs["tables"], attrs["outputs"]
    first = tables.output.array
    if first.size and (first.min() < 0 or first.max() + tables.width > outputs):
        raise VerifyError(
            f"forest whose trees add {tables.width} values from outputs {first.min()} to {first.max()} on; "
            f"it has {outputs} outputs"
        )
    return Type(np.dtype(np.float64), (features.shape[0], attrs["outputs"]))


def _row(name: str, kind: Kind, attrs: str, infer: Infer, summary: str) -> Op:
    return Op(name, kind, tuple(attrs.split()), infer, summary)


def _elementwise_row(name: str) -> Op:
    return Op(name, "elementwise", (), lambda types, attrs: infer_elementwise(name, types), f"NumPy's {name}")


_ROWS = (
    _row("input", "source", "slot type", _typed_by_attr, "an array bound at the call"),
    _row("constant", "source", "value", _constant, "an array known when the graph is made"),
    _row("iota", "source", "dtype length", _iota, "0, 1, 2, … along one axis"),
    _row("convert", "elementwise", "dtype", _convert, "astype, casting='unsafe'"),
    _row("bitcast", "elementwise", "dtype", _bitcast, "view of the same bytes as another dtype"),
    _row("broadcast", "shape", "shape", _broadcast, "NumPy's broadcast_to"),
    _row("reshape", "shape", "shape", _reshape, "reshape in C order"),
    _row("transpose", "shape", "axes", _transpose, "permute the axes"),
    _row(
        "slice",
        "index",
        "slices",
        _slice,
        "basic slicing, one (start, stop, step) an axis, None as in Python",
    ),
    _row("concatenate", "shape", "axis", _concatenate, "join along an axis"),
    _row("stack", "shape", "axis", _stack, "join along a new axis"),
    _row("gather", "index", "mode", _gather, "take along axis 0; mode 'raise' (negative wraps) or 'clip'"),
    _row("compress", "index", "count", _compress, "the rows where a mask is true"),
    _row(
        "masked_scatter", "index", "", _masked_scatter, "base with values put, in order, where a mask is true"
    ),
    _row("update_slice", "index", "slices", _update_slice, "base with a basic slice replaced by values"),
    _row("reduce", "reduce", "kind axes", _reduce, "sum, prod, min, max, fmin, fmax, any or all over axes"),
    _row(
        "scan",
        "reduce",
        "kind axis",
        _scan,
        "the fold of all elements up to each one along an axis, in order",
    ),
    _row("arg_reduce", "reduce", "kind axis", _arg_reduce, "argmin or argmax along an axis"),
    _row("dot", "contraction", "", _dot, "matrix product of 1-D and 2-D operands"),
    _row("forest", "model", "outputs tables", _forest, "sums of leaf values of decision trees"),
    _row("opaque", "opaque", "function type", _typed_by_attr, "a call into a library, a step of its own"),
)

OPS: Mapping[str, Op] = {row.name: row for row in _ROWS} | {
    name: _elementwise_row(name) for name in SCALAR_OPS
}


def count_of(mask: Any) -> Dim:
    """The dimension that `compress` by this mask gives; folded for a constant mask."""
    if mask.op == "constant":
        return int(np.count_nonzero(mask.attrs["value"].array))
    return Count(mask)


def identity(kind: str, dtype: np.dtype) -> np.ndarray:
    """The value that leaves a reduction of this kind unchanged, as a 0-d array."""
    if kind in ("sum", "prod"):
        return np.asarray(0 if kind == "sum" else 1).astype(dtype)
    if kind in ("any", "all"):
        return np.asarray(kind == "all")
    low = kind in ("max", "fmax")
    if dtype.kind == "f":
        return np.asarray(-math.inf if low else math.inf, dtype)
    if dtype.kind == "b":
        return np.asarray(not low)
    limits = np.iinfo(np.int64 if dtype.kind in "mM" else dtype)
    return np.asarray(limits.min if low else limits.max, limits.dtype).view(dtype)


def scan_start(kind: str, dtype: np.dtype) -> np.ndarray:
    """The value in front of a scan of this kind, which leaves its first element as it is, as a 0-d array."""
    if dtype.kind == "f" and kind in ("fmin", "fmax"):
        return np.asarray(math.nan, dtype)
    if dtype.kind == "f" and kind == "sum":
        return np.asarray(-0.0, dtype)
    return identity(kind, dtype)
