"""What each node becomes: part of a fused loop, a reduction of one, a free view, or a step of its own.

`can_fuse` says what is legal; what is worth it is decided in `placement.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar

import numpy as np

from fuse.ir.node import Node
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import element_count
from fuse.optimize.columns import NARROW_DOT, WIDEST_RESULT
from fuse.plan.outer import Outer, is_ordered, outer_form

Role = Literal["leaf", "fused", "reduce", "step"]

TINY = 64
"""Values of at most this many elements are computed by the interpreter; no loop repays itself there."""

FEW_REDUCED = 8
"""A fold along an axis walks the data once for each value behind that axis when there are at most so many,
and row by row otherwise.
"""

VIEWS = frozenset({"broadcast", "reshape", "transpose", "slice"})


Answer = TypeVar("Answer")


_memories: list[Callable[[], None]] = []


def _remembered(question: Callable[[Node], Answer]) -> Callable[[Node], Answer]:
    """Planning asks the same of each node many times; answers are kept until `forget`."""
    remembered = functools.cache(question)
    _memories.append(remembered.cache_clear)
    return remembered


def forget() -> None:
    """Let go of the nodes that were asked about, and with them of the arrays that they keep alive."""
    for clear in _memories:
        clear()


@_remembered
def role_of(node: Node) -> Role:
    """How this node is executed."""
    if node.op in ("input", "constant"):
        return "leaf"
    if node.op == "reduce" and can_reduce(node):
        return "reduce"
    return "fused" if can_fuse(node) else "step"


@_remembered
def can_fuse(node: Node) -> bool:
    """Whether the node can be computed inside a loop over its leading axis or, elementwise, over all its
    axes.
    """
    if as_text_comparison(node) is not None:
        return True
    rule = _FUSABLE.get(node.op)
    return rule(node) if rule is not None else node.op in SCALAR_OPS and _can_map(node)


def can_reduce(node: Node) -> bool:
    """Whether a kernel can end in this reduction: over neighbouring axes, or over others that leave few
    values.
    """
    (operand,) = node.inputs
    if not is_ordinary(operand) or is_tiny(operand):
        return False
    axes = node.attrs["axes"]
    left = element_count(node.shape)
    if not axes:
        return False
    is_one = tuple(axes) == tuple(range(axes[0], axes[0] + len(axes)))
    return is_one or (isinstance(left, int) and left <= FEW_REDUCED)


def is_loop_dtype(dtype: np.dtype) -> bool:
    """Dtypes that live in registers; text and long double do not."""
    return dtype.kind in "biumM" or dtype in (np.float16, np.float32, np.float64, np.complex64, np.complex128)


def is_ordinary(node: Node) -> bool:
    """Whether a value is one that any stage of a kernel takes: complex numbers are known to maps only."""
    return is_loop_dtype(node.dtype) and node.dtype.kind != "c"


def is_tiny(node: Node) -> bool:
    """Whether the node has few elements, known before the run."""
    count = element_count(node.shape)
    return isinstance(count, int) and count <= TINY


_ON_DATES = frozenset({
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "isnat", "isfinite", "isinf",
    "select", "bitcast",
})  # fmt: skip


_ON_ONE_UNIT = frozenset({
    "add", "subtract", "negative", "positive", "absolute", "maximum", "minimum", "fmax", "fmin", "divide",
    "floor_divide", "remainder",
})  # fmt: skip
_ON_COMPLEX = frozenset({
    "add", "subtract", "multiply", "divide", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "logical_and", "logical_or", "logical_xor", "logical_not", "real", "imag", "complex",
    "positive", "negative", "conjugate", "absolute", "square", "isnan", "isinf", "isfinite", "select",
    "convert",
})  # fmt: skip
_ONLY_FLOATS = frozenset({"reciprocal"})
_NOT_HALF = frozenset({"nextafter", "spacing"})


def can_emit(op: str, dtypes: Sequence[np.dtype]) -> bool:
    """Whether generated code computes the op on operands of these dtypes.

    Dates compare and compute within one unit; what changes units is left to NumPy.
    """
    if not all(map(is_loop_dtype, dtypes)):
        return False
    if any(dtype.kind == "c" for dtype in dtypes):
        return op in _ON_COMPLEX
    if (op in _ONLY_FLOATS and dtypes[0].kind != "f") or (op in _NOT_HALF and dtypes[0].itemsize == 2):
        return False
    dates = [dtype for dtype in dtypes if dtype.kind in "mM"]
    if not dates or op in _ON_DATES:
        return len({np.datetime_data(dtype)[0] for dtype in dates}) <= 1
    same_unit = len({np.datetime_data(dtype) for dtype in dates}) == 1
    if len(dates) == len(dtypes):
        return op in _ON_ONE_UNIT and same_unit
    numbers = [dtype.str[1:] for dtype in dtypes if dtype.kind not in "mM"]
    return (op == "multiply" and numbers[0] in ("i8", "f8")) or (op == "divide" and numbers[0] == "f8")


def _can_map(node: Node) -> bool:
    if node.op not in SCALAR_OPS and node.op not in ("convert", "bitcast"):
        return is_loop_dtype(node.dtype) and not is_tiny(node)
    dtypes = [operand.dtype for operand in node.inputs]
    if (
        node.op == "convert"
        and node.dtype != dtypes[0]
        and (node.dtype.kind in "mM" or dtypes[0].kind in "mM")
        and np.dtype(np.int64) not in (node.dtype, dtypes[0])
    ):
        return False
    return is_loop_dtype(node.dtype) and can_emit(node.op, dtypes) and not is_tiny(node)


def _is_column_of_matrix(node: Node) -> bool:
    return _picked_column(node) is not None and is_ordinary(node) and not is_tiny(node)


@_remembered
def as_column(node: Node) -> tuple[Node, int] | None:
    """`(matrix, j)` when the node is column j of a matrix that a kernel computes."""
    found = _picked_column(node)
    if found is None or found[0].op not in _MATRICES or not can_fuse(found[0]):
        return None
    return found if can_fuse(node) else None


@_remembered
def as_stored_column(node: Node) -> tuple[Node, int] | None:
    """`(matrix, j)` when the node is column j of a matrix in memory."""
    found = _picked_column(node)
    return found if found is not None and as_column(node) is None and can_fuse(node) else None


def _picked_column(node: Node) -> tuple[Node, int] | None:
    """`(matrix, j)` when the node is column j of some matrix: a slice of one column without its last axis."""
    if node.op != "reshape" or node.type.rank != 1:
        return None
    (source,) = node.inputs
    if source.shape != (*node.shape, 1):
        return None
    if source.op != "slice":
        return source, 0
    rows, (start, stop, step) = source.attrs["slices"]
    if rows != (0, None, 1) or step != 1 or not isinstance(start, int) or start < 0 or stop != start + 1:
        return None
    return source.inputs[0], start


MIRRORED: Mapping[str, str] = {
    "equal": "equal", "not_equal": "not_equal", "less": "greater", "greater": "less",
    "less_equal": "greater_equal", "greater_equal": "less_equal",
}  # fmt: skip


@_remembered
def as_text_comparison(node: Node) -> tuple[str, Node, Node] | None:
    """`(relation, column, constant)` when the node compares a column of text in memory with one text."""
    if node.op not in MIRRORED or node.inputs[0].dtype.kind != "T":
        return None
    left, right = node.inputs
    if left.op == "constant":
        left, right, relation = right, left, MIRRORED[node.op]
    else:
        relation = node.op
    if left.op != "input" or left.type.rank != 1 or right.op != "constant" or not right.type.is_scalar:
        return None
    return relation, left, right


@_remembered
def as_outer(node: Node) -> Outer | None:
    """How the node folds pairs of rows and columns, when it is the place of the best one for every row."""
    if node.op != "arg_reduce" or node.attrs["axis"] != 1 or is_tiny(node):
        return None
    (matrix,) = node.inputs
    return outer_form(matrix, _can_map) if is_ordered(matrix.dtype) else None


def column_table(column: Node) -> tuple[Node, int | None]:
    """The array in memory, and the column of it, that holds a 1-D value which a loop reads at any place."""
    found = _picked_column(column)
    return (column, None) if found is None or as_column(column) is not None else found


def _outer_operands(outer: Outer) -> tuple[Node, ...]:
    tables = [column_table(column)[0] for column in outer.columns.values()]
    return tuple(dict.fromkeys((*outer.rows.values(), *tables, *outer.scalars.values())))


def operands(node: Node) -> tuple[Node, ...]:
    """What the planner sees as inputs: a column stands directly on its matrix, the best of all pairs on what
    is paired.
    """
    outer = as_outer(node)
    if outer is not None:
        return _outer_operands(outer)
    column = as_column(node) or as_stored_column(node)
    return node.inputs if column is None else column[:1]


_MATRICES = frozenset({"forest", "dot"})


def _can_fuse_stack(node: Node) -> bool:
    rows = node.inputs[0]
    return node.attrs["axis"] == 1 and rows.type.rank == 1 and is_ordinary(node) and not is_tiny(rows)


def _can_fuse_gather(node: Node) -> bool:
    table, indices = node.inputs
    return (
        table.type.rank == 1
        and is_ordinary(node)
        and _can_map(node)
        and is_loop_dtype(indices.dtype)
        and indices.type.rank >= 1
    )


def _can_fuse_dot(node: Node) -> bool:
    left, right = node.inputs
    if (
        left.type.rank != 2
        or right.type.rank not in (1, 2)
        or left.dtype.kind != "f"
        or left.dtype.itemsize < 4
    ):
        return False
    size, width = element_count(right.shape), right.shape[-1] if right.type.rank == 2 else 1
    return (
        isinstance(size, int)
        and 0 < size <= NARROW_DOT
        and isinstance(width, int)
        and width <= WIDEST_RESULT
        and right.op in ("constant", "input")
        and not is_tiny(left)
    )


def _can_fuse_broadcast(node: Node) -> bool:
    return node.inputs[0].type.is_scalar and _can_map(node)


_FUSABLE: Mapping[str, Callable[[Node], bool]] = {
    "convert": _can_map,
    "bitcast": lambda node: is_ordinary(node) and is_ordinary(node.inputs[0]) and _can_map(node),
    "iota": lambda node: is_ordinary(node) and _can_map(node),
    "scan": lambda node: is_ordinary(node) and _can_map(node),
    "broadcast": _can_fuse_broadcast,
    "compress": lambda node: node.inputs[0].type.rank == 1 and is_ordinary(node) and _can_map(node),
    "gather": _can_fuse_gather,
    "arg_reduce": lambda node: as_outer(node) is not None,
    "stack": _can_fuse_stack,
    "dot": _can_fuse_dot,
    "forest": lambda node: node.inputs[0].dtype in (np.float32, np.float64) and not is_tiny(node.inputs[0]),
    "reshape": _is_column_of_matrix,
}
