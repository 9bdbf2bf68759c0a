"""Operands of an operation as nodes: what may stand there, of which dtype, and of one shape.

NumPy's promotion is asked for, never copied: a Python number stays weak until `ufunc.resolve_dtypes` said
which dtype it takes. Lengths are compared as they stand in the types; where two differ and one is not known
yet, it is evaluated, or in a recording looked up with a guard.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fuse.integrations.capture.recording import SymbolicMismatch, call_library, current_recording
from fuse.integrations.capture.values import bind, values
from fuse.integrations.numpy_array.base import LazyArray, Unsupported, length
from fuse.integrations.numpy_array.storage import is_static
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.types import Dim, Shape, SizeOf, Symbol

WEAK = (int, float, complex)


class Operand(NamedTuple):
    """A node, or a Python number that takes its dtype from the others."""

    node: Node | None
    number: complex = 0

    @property
    def dtype(self) -> Any:
        """What `ufunc.resolve_dtypes` takes for it."""
        return type(self.number) if self.node is None else self.node.dtype

    @property
    def shape(self) -> Shape:
        return () if self.node is None else self.node.shape

    def as_node(self, dtype: np.dtype) -> Node:
        """The operand as this dtype. Raises NumPy's OverflowError for a number that does not fit."""
        if self.node is not None:
            return build.convert(self.node, dtype)
        if not self.overflows(dtype):
            return build.constant(self.number, dtype)
        return build.convert(build.constant(float(self.number.real), np.float64), dtype)

    def overflows(self, dtype: np.dtype) -> bool:
        """Whether this is a finite number that is an infinity as this dtype, of which NumPy warns."""
        largest = _LARGEST.get(dtype.itemsize) if dtype.kind == "f" and self.node is None else None
        return largest is not None and largest <= abs(self.number) < math.inf


_LARGEST = {2: 65520.0, 4: 2.0**128 - 2.0**103}
"""From where on rounding to float16 and to float32 gives infinity."""


def is_numeric(dtype: np.dtype) -> bool:
    """Whether the graph computes with this dtype: bool, integers and floating point up to 64 bits."""
    return dtype.kind in "biuf" and dtype.itemsize <= 8 and dtype.isnative


def is_recorded(dtype: np.dtype) -> bool:
    """Whether a graph holds arrays of this dtype: those that it computes with, complex numbers, dates."""
    is_known = is_numeric(dtype) or dtype in (np.complex64, np.complex128) or dtype.kind in "mM"
    return is_known and dtype.isnative


def is_foreign(value: Any) -> bool:
    """Whether an operand takes over an elementwise operation: pandas objects and others that override
    ufuncs.
    """
    if isinstance(value, LazyArray | np.ndarray | np.generic | int | float | complex | str | list | tuple):
        return False
    kind = type(value)
    if hasattr(kind, "__pandas_priority__"):
        return True
    return getattr(kind, "__array_ufunc__", np.ndarray.__array_ufunc__) is not np.ndarray.__array_ufunc__


def is_derived(value: Any) -> bool:
    """Whether an array is of a class derived from NumPy's, such as a masked array or a matrix.

    What is computed of it follows the rules of its class, so NumPy does. A memory map follows NumPy's.
    """
    return isinstance(value, np.ndarray) and type(value) not in (np.ndarray, np.memmap)


def operand(value: Any) -> Operand:
    """An operand from anything NumPy would take. Raises Unsupported for dtypes that are not computed with."""
    if type(value) in WEAK:
        return Operand(None, value)
    return Operand(node_of(value))


def node_of(value: Any) -> Node:
    """The node of an array or of something NumPy makes an array of."""
    node = given_node(value)
    if node is None:
        if is_derived(value):
            raise Unsupported(f"an operand of the class {type(value).__name__}")
        array = np.asarray(value)
        _check(array.dtype)
        node = build.constant(array) if array.ndim == 0 else bind(array)
    _check(node.dtype)
    return node


def numbers_of(value: Any) -> Node:
    """`node_of` for functions that are recorded for numbers alone, not for complex numbers and dates."""
    node = node_of(value)
    if not is_numeric(node.dtype):
        raise Unsupported(f"arrays of dtype {node.dtype} are left to NumPy")
    return node


def given_node(value: Any) -> Node | None:
    """The node that a lazy array, another front end's value, or a list of lazy arrays has already."""
    if isinstance(value, LazyArray):
        _check(value._dtype)
        return value._node
    give = getattr(type(value), "__fuse_node__", None)
    if give is not None:
        found: Node | None = give(value)
        return found
    if isinstance(value, list | tuple) and any(isinstance(item, LazyArray) for item in value):
        return _stacked(value)
    return None


def _stacked(items: Sequence[Any]) -> Node:
    nodes = [node_of(item) for item in items]
    dtype = np.result_type(*(node.dtype for node in nodes))
    _, nodes = broadcast_together([build.convert(node, dtype) for node in nodes])
    if len({node.shape for node in nodes}) != 1:
        raise Unsupported("a list of arrays of different shapes")
    return build.stack(nodes, 0)


def _check(dtype: np.dtype) -> None:
    if not is_recorded(dtype):
        raise Unsupported(f"arrays of dtype {dtype} are left to NumPy")


def weak_dtype(operands: Sequence[Operand]) -> np.dtype:
    """The common dtype by NumPy's promotion."""
    return np.result_type(*(o.number if o.node is None else o.node.dtype for o in operands))


def broadcast_together(nodes: Sequence[Node]) -> tuple[Shape, list[Node]]:
    """The common shape, and the operands with it or 0-d. Raises NumPy's error when there is none."""
    settled = list(nodes)
    rank = max((node.type.rank for node in settled), default=0)
    shape: list[Dim] = []
    for axis in range(-rank, 0):
        dim, settled = _common_length(settled, axis)
        shape.append(dim)
    common = tuple(shape)
    return common, [build.broadcast(node, common) if node.shape else node for node in settled]


def _common_length(nodes: list[Node], axis: int) -> tuple[Dim, list[Node]]:
    found = {node.shape[axis] for node in nodes if node.type.rank >= -axis and node.shape[axis] != 1}
    if len(found) <= 1:
        return (found.pop() if found else 1), nodes
    if all(isinstance(dim, int) for dim in found):
        _raise_shape_error(nodes)
    nodes = [static(node) if node.shape and not is_static(node.shape) else node for node in nodes]
    return _common_length(nodes, axis)


def _raise_shape_error(nodes: Sequence[Node]) -> None:
    """NumPy's own message, asked with arrays that have the shapes and no memory."""
    shapes = [tuple(map(length, node.shape)) for node in nodes]
    np.broadcast(*(np.broadcast_to(np.empty(()), shape) for shape in shapes))
    raise AssertionError(f"NumPy broadcasts {shapes}")


def static(node: Node) -> Node:
    """The same value with known lengths.

    Outside of recordings it is evaluated. In a recording the length of an argument that must equal another
    one makes the driver record again without symbols; the length of a filter becomes a guard.
    """
    recording = current_recording()
    if recording is None:
        return bind(values([node])[0], frozen=True)
    for dim in node.shape:
        if has_symbol(dim):
            raise SymbolicMismatch(f"the length {dim} of {node!r} must equal another length")
        length(dim)
    (result,) = call_library(lambda array: (array,), (node,))
    return result


def has_symbol(dim: Dim | None) -> bool:
    """Whether a length depends on that of an argument."""
    if isinstance(dim, SizeOf):
        return any(map(has_symbol, dim.operands))
    return isinstance(dim, Symbol)


def fitted(node: Node, shape: Shape) -> Node:
    """A value broadcast to a shape that its lengths, in numbers, are known to match."""
    if not _matches(node.shape, shape):
        node = static(node)
    if not _matches(node.shape, shape):
        if any(map(has_symbol, shape)):
            raise SymbolicMismatch(f"{node!r} must have the shape {shape}")
        raise Unsupported("an assignment to the result of a filter")
    return build.broadcast(node, shape)


def broadcasts_into(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether an array of one shape can be assigned to one of the other."""
    aligned = target[len(target) - len(shape) :]
    return len(shape) <= len(target) and all(a in (1, b) for a, b in zip(shape, aligned, strict=True))


def check_assignable(shape: tuple[int, ...], target: tuple[int, ...]) -> None:
    """Raise NumPy's error when values of one shape cannot be assigned to an array of the other."""
    if not broadcasts_into(shape, target):
        np.empty(target, np.int8)[...] = np.broadcast_to(np.empty((), np.int8), shape)


def _matches(source: Shape, target: Shape) -> bool:
    aligned = target[len(target) - len(source) :]
    return all(dim in (1, other) for dim, other in zip(source, aligned, strict=True))
