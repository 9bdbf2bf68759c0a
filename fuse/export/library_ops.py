"""The ops that a batch leaves to NumPy, as views, kernels of a single op, and a few loops.

A function from a node to its value, by op; it may append steps. Left out: sums whose order of adding is
NumPy's own and not one after the other, text, and calls into libraries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from fuse.export.lower import Lowering
from fuse.export.program import Compress, Extremum, Fold, NoProgram, Product, Scatter, Take, Value
from fuse.ir.node import Node, walk
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Bounds
from fuse.plan.classify import can_emit, is_loop_dtype
from fuse.plan.kernels import BASE, Buffer, Instruction, Kernel, Map, Role
from fuse.plan.placement import Domain
from fuse.plan.schedule import Schedule

_SEQUENTIAL = 8
"""Fewer elements than that NumPy adds one after the other when they lie side by side."""


def lower_library(lowering: Lowering, node: Node) -> Value:
    """The value of a node that no kernel of the plan computes. NoProgram when only a library can."""
    if node.op in SCALAR_OPS or node.op == "convert":
        return _elementwise(lowering, node)
    rule = _RULES.get(node.op)
    if rule is None:
        raise NoProgram(f"{node.op} runs in a library", node)
    return rule(lowering, node)


def line_of(node: Node) -> str:
    """The user's line that a node comes from: its own, or that of what it is computed from."""
    lines = [str(found.location) for found in walk([node]) if found.location is not None]
    return str(node.location) if node.location is not None else (lines[-1] if lines else "")


# Kernels of one op


def _elementwise(lowering: Lowering, node: Node) -> Value:
    dtypes = [operand.dtype for operand in node.inputs]
    if not is_loop_dtype(node.dtype) or not can_emit(node.op, dtypes):
        raise NoProgram(f"{node.op} of {', '.join(map(str, dtypes))} runs in NumPy", node)
    result = lowering.of(node)
    sources = [lowering.value(operand) for operand in node.inputs]
    roles: list[Role] = ["load" if value.shape == result.shape else "uniform" for value in sources]
    body = [
        Instruction(role, (), value.dtype, number)
        for number, (role, value) in enumerate(zip(roles, sources, strict=True))
    ]
    body.append(Instruction(node.op, tuple(range(len(body))), node.dtype))
    _single(lowering, roles, sources, body, result)
    return result


def _single(
    lowering: Lowering,
    roles: Sequence[Role],
    sources: Sequence[Value],
    body: Sequence[Instruction],
    result: Value,
) -> None:
    """A kernel of one map whose last value goes to `result`."""
    buffers = [Buffer(value.dtype, role) for value, role in zip(sources, roles, strict=True)]
    stores = ((len(body) - 1, len(buffers)),)
    buffers.append(Buffer(result.dtype, "store"))
    register = lowering.vector_bytes or 16
    lanes = max(1, 4 * register // max(buffer.dtype.itemsize for buffer in buffers))
    if lowering.lengths.is_known(result.size):
        lanes = max(1, min(lanes, 1 << (result.size - 1).bit_length())) if result.size else 1
    kernel = Kernel((Map(BASE, tuple(body), stores=stores),), tuple(buffers), (), Schedule(lanes=lanes))
    bound = [(value, "value") for value in (*sources, result)]
    lowering.run(kernel, Domain(result.shape, None, ()), bound)


def copy(lowering: Lowering, source: Value, target: Value) -> None:
    """target[...] = source, of one shape."""
    _single(lowering, ["load"], [source], [Instruction("load", (), source.dtype, 0)], target)


def _iota(lowering: Lowering, node: Node) -> Value:
    result = lowering.of(node)
    body = [Instruction("position", (), np.dtype(np.int64))]
    if node.dtype != np.int64:
        body.append(Instruction("convert", (0,), node.dtype))
    _single(lowering, [], [], body, result)
    return result


# Views


def _view(
    view: Callable[[Lowering, Node, Value], Value],
) -> Callable[[Lowering, Node], Value]:
    return lambda lowering, node: view(lowering, node, lowering.value(node.inputs[0]))


def _shape(lowering: Lowering, node: Node) -> tuple[int, ...]:
    return lowering.lengths.shape(node.shape)


def _reshape(lowering: Lowering, node: Node, source: Value) -> Value:
    return lowering.contiguous(source).reshape(_shape(lowering, node))


def _bitcast(lowering: Lowering, node: Node, source: Value) -> Value:
    if node.dtype.itemsize != source.itemsize:
        raise NoProgram(f"a view of {source.dtype} as {node.dtype}", node)
    return replace(source, dtype=lowering.check(node))


# Joining


def _concatenate(lowering: Lowering, node: Node) -> Value:
    """Part after part."""
    axis, result = node.attrs["axis"], lowering.of(node)
    before: list[int] = []
    for operand in node.inputs:
        source = lowering.value(operand)
        length = source.shape[axis]
        lowering.copy(source, result.part(axis, before, length))
        before.append(length)
    return result


def _stack(lowering: Lowering, node: Node) -> Value:
    axis, result = node.attrs["axis"], lowering.of(node)
    for number, operand in enumerate(node.inputs):
        bounds: list[Bounds] = [(None, None, None)] * len(result.shape)
        bounds[axis] = (number, number + 1, None)
        shape = tuple(1 if place == axis else length for place, length in enumerate(result.shape))
        lowering.copy(lowering.value(operand), result.slice(bounds, shape).without([axis]))
    return result


def _update_slice(lowering: Lowering, node: Node) -> Value:
    base, values = map(lowering.value, node.inputs)
    result = lowering.of(node)
    lowering.copy(base, result)
    if values.size:
        lowering.copy(values, result.slice(node.attrs["slices"], values.shape))
    return result


# Loops


def _compress(lowering: Lowering, node: Node) -> Value:
    source, mask = map(lowering.value, node.inputs)
    source = lowering.contiguous(source)
    lowering.check(node)
    shape = _shape(lowering, node)
    result = lowering.new(node.dtype, shape, (mask.shape[0], *shape[1:]))
    lowering.steps.append(Compress(source, lowering.contiguous(mask), result, shape[0]))
    lowering.counted.add(shape[0])
    return result


def _masked_scatter(lowering: Lowering, node: Node) -> Value:
    base, mask, values = map(lowering.value, node.inputs)
    if mask.shape != base.shape or len(values.shape) != 1:
        raise NoProgram("a write through a mask to whole rows", node)
    result = lowering.of(node)
    lowering.copy(base, result)
    lowering.steps.append(Scatter(lowering.contiguous(values), lowering.contiguous(mask), result))
    return result


def _gather(lowering: Lowering, node: Node) -> Value:
    table, indices = (lowering.contiguous(lowering.value(operand)) for operand in node.inputs)
    result = lowering.of(node)
    lowering.steps.append(Take(table, indices, node.attrs["mode"], result, line_of(node)))
    return result


def _arg_reduce(lowering: Lowering, node: Node) -> Value:
    source = lowering.value(node.inputs[0])
    if source.dtype.kind not in "biuf" or (source.dtype.itemsize == 2 and source.dtype.kind == "f"):
        raise NoProgram(f"{node.attrs['kind']} of {source.dtype} runs in NumPy", node)
    result = lowering.of(node)
    lowering.steps.append(
        Extremum(node.attrs["kind"], lowering.contiguous(source), node.attrs["axis"], result, line_of(node))
    )
    return result


def _dot(lowering: Lowering, node: Node) -> Value:
    left, right = map(lowering.value, node.inputs)
    if node.dtype not in (np.float32, np.float64) or left.dtype != node.dtype or right.dtype != node.dtype:
        raise NoProgram(f"a product of {left.dtype} and {right.dtype} runs in NumPy", node)
    result = lowering.of(node)
    if len(left.shape) == 1:
        left = left.broadcast((1, *left.shape))
    if len(right.shape) == 1:
        right = replace(right, shape=(*right.shape, 1), strides=(*right.strides, 0))
    shape = (left.shape[0], right.shape[1])
    lowering.steps.append(Product(left, right, result.reshape(shape)))
    return result


def _reduce(lowering: Lowering, node: Node) -> Value:
    """Axis by axis; floats only where NumPy, too, folds one element after the other."""
    kind, axes = node.attrs["kind"], sorted(node.attrs["axes"], reverse=True)
    value = lowering.value(node.inputs[0])
    lowering.check(node)
    if value.dtype.kind == "f" and kind in ("sum", "prod") and not _is_sequential(lowering, value, axes):
        raise NoProgram(f"a {kind} in an order of NumPy's own", node)
    for axis in axes:
        rest = tuple(length for place, length in enumerate(value.shape) if place != axis)
        folded = lowering.new(node.dtype, rest)
        lowering.steps.append(Fold(kind, value, axis, folded))
        value = folded
    return value


def _is_sequential(lowering: Lowering, value: Value, axes: Sequence[int]) -> bool:
    """Whether NumPy adds along these axes one element after the other."""
    if not value.is_contiguous or len(axes) != 1:
        return math.prod(value.shape) == 1
    (axis,) = axes
    length, last = value.shape[axis], len(value.shape) - 1
    if axis == last:
        return length < _SEQUENTIAL
    return value.shape[last] > 1


_RULES: Mapping[str, Callable[[Lowering, Node], Value]] = {
    "broadcast": _view(lambda lowering, node, source: source.broadcast(_shape(lowering, node))),
    "reshape": _view(_reshape),
    "transpose": _view(lambda lowering, node, source: source.transpose(node.attrs["axes"])),
    "slice": _view(lambda lowering, node, source: source.slice(node.attrs["slices"], _shape(lowering, node))),
    "bitcast": _view(_bitcast),
    "iota": _iota,
    "reduce": _reduce,
    "concatenate": _concatenate,
    "stack": _stack,
    "update_slice": _update_slice,
    "compress": _compress,
    "gather": _gather,
    "masked_scatter": _masked_scatter,
    "arg_reduce": _arg_reduce,
    "dot": _dot,
}
