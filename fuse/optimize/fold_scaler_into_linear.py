"""What scales and shifts the columns before a linear model moves into its weights and its bias.

    dot((X - m) / s, W) + b   =>   dot(X, W / s[:, None]) + (b - (m / s) @ W)
    dot(dot(X, A) - c, B)     =>   dot(X, A @ B) - c @ B          when that is less work

Both hold for matrices (X - broadcast(m)) and for tables, column by column. Weights are multiplied in extended
precision and rounded once, so a scale costs each product one more rounding. A shift is folded only while it
is no more than 64 times the scaled unit, or below another dot: beyond, `x * w - m * w` would cancel digits
that `(x - m) * w` keeps. The first case stays within the error of the sum itself, the second is as good as it
was.

Special values: NaN stays NaN; an infinite x gives the same infinity, since scales are finite and not zero and
a weight that is not zero stays so (else nothing is folded). Two dots in a row may turn NaN from `inf - inf`
between them into the infinity of the whole; estimators refuse infinite input.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fuse.ir import build
from fuse.ir.node import Graph, Node
from fuse.ir.rewrite import rebuild
from fuse.optimize.columns import constant_column, is_table, table, width_of
from fuse.optimize.match import LARGEST_CONSTANT, row_of_constants
from fuse.optimize.notes import note
from fuse.optimize.rules import pinned, use_counts

_LARGEST_SHIFT = 64.0
_EXACT = np.longdouble


@dataclass(frozen=True)
class _Affine:
    """A matrix as `scale * source + shift`, column by column; `unit` says that a scaler chose the scale.

    A scale that is 1 by a scaler's choice (scikit-learn's, for a constant column) is a unit as well.
    """

    source: Node
    scale: np.ndarray
    shift: np.ndarray
    unit: bool


@dataclass(frozen=True)
class _Linear:
    """A dot as `dot(source, weights) + bias`; the bias None when it is zero."""

    source: Node
    weights: np.ndarray
    bias: np.ndarray | None


def fold_scaler_into_linear(graph: Graph) -> Graph:
    """The graph with scalers, centring and chained projections folded into weights and biases."""
    uses = use_counts(graph.nodes())
    inner_uses = {node.id: uses.get(node.id, 0) for node in graph.nodes() if node.op == "dot"}
    biased = _biased_dots(graph, uses)

    def fold(node: Node, inputs: tuple[Node, ...]) -> Node | None:
        if node.op == "dot" and node.id not in biased:
            linear = _folded(inputs, inner_uses)
            return _rebuilt(linear, node, None) if linear else None
        if node.op in ("add", "subtract") and any(source.id in biased for source in node.inputs):
            return _fold_with_bias(node, inputs, inner_uses)
        return None

    fixed = {node: node for node in pinned(graph)}
    return Graph(tuple(rebuild(graph.outputs, fold, fixed)))


def _biased_dots(graph: Graph, uses: dict[int, int]) -> set[int]:
    """The dots whose only use is the addition of a constant bias."""
    found = {
        dot.id for node in graph.nodes() for dot, _ in [_dot_and_bias(node, node.inputs)] if dot is not None
    }
    outputs = {node.id for node in graph.outputs}
    return {node_id for node_id in found if uses[node_id] == 1 and node_id not in outputs}


def _dot_and_bias(node: Node, inputs: tuple[Node, ...]) -> tuple[Node | None, np.ndarray | None]:
    """The dot and the signed constant of `dot + b`, `b + dot` or `dot - b`."""
    if node.op not in ("add", "subtract"):
        return None, None
    left, right = inputs
    if node.op == "add" and left.op != "dot":
        left, right = right, left
    bias = row_of_constants(right, _outputs(left)) if left.op == "dot" else None
    if bias is None or left.shape != node.shape:
        return None, None
    return left, -bias if node.op == "subtract" else bias


def _outputs(dot: Node) -> int:
    width = width_of(dot)
    return 1 if width is None else width


def _fold_with_bias(node: Node, inputs: tuple[Node, ...], uses: dict[int, int]) -> Node | None:
    dot, bias = _dot_and_bias(node, inputs)
    linear = _folded(dot.inputs, uses) if dot is not None else None
    if dot is None or linear is None:
        return None
    return _rebuilt(linear, dot, bias)


def _rebuilt(linear: _Linear, dot: Node, bias: np.ndarray | None) -> Node:
    result = build.dot(linear.source, build.constant(linear.weights.astype(dot.dtype)), dot.location)
    terms = [term.astype(_EXACT) for term in (linear.bias, bias) if term is not None]
    if not terms:
        return result
    total = sum(terms[1:], terms[0]).astype(dot.dtype)
    if linear.weights.ndim == 1:
        total = total.reshape(())
    row = build.constant(total)
    added = build.broadcast(row, result.shape) if row.shape else row
    return build.elementwise("add", result, added, location=dot.location)


def _folded(operands: tuple[Node, ...], uses: dict[int, int]) -> _Linear | None:
    """The dot with whatever can be folded; None when nothing can."""
    source, weights = operands
    width = width_of(source)
    if weights.op != "constant" or weights.dtype.kind != "f" or not width:
        return None
    array = weights.attrs["value"].array
    if not np.isfinite(array).all():
        return None
    affine = _affine_table(source) if is_table(source) else _affine_matrix(source, width)
    linear = _absorb(affine, array) if affine else None
    inner = _chained(linear or _Linear(source, array.astype(_EXACT), None), uses)
    return inner or linear


def _absorb(affine: _Affine, weights: np.ndarray) -> _Linear | None:
    exact = weights.astype(_EXACT)
    by_column = affine.scale.reshape(-1, *[1] * (weights.ndim - 1))
    scaled = exact * by_column
    if not _same_support(weights, scaled):
        return None
    if np.any(affine.scale != 1):
        note(f"scaler folded into {weights.size} weights")
    if not affine.shift.any():
        return _Linear(affine.source, scaled, None)
    note(f"centring of {int(np.count_nonzero(affine.shift))} columns folded into the bias")
    return _Linear(affine.source, scaled, np.asarray(affine.shift @ exact))


def _same_support(weights: np.ndarray, scaled: np.ndarray) -> bool:
    """Whether no weight overflows, vanishes or loses digits in its dtype."""
    size = np.abs(scaled)
    limits = np.finfo(weights.dtype)
    return bool(np.all((weights == 0) | ((size >= limits.smallest_normal) & (size <= limits.max))))


def _chained(linear: _Linear, uses: dict[int, int]) -> _Linear | None:
    """One dot for two in a row, when a row then costs fewer multiplications."""
    inner = linear.source
    if (
        inner.op != "dot"
        or inner.inputs[1].op != "constant"
        or None in map(width_of, (inner, inner.inputs[0]))
    ):
        return None
    first = inner.inputs[1].attrs["value"].array
    outputs = linear.weights.size // linear.weights.shape[0]
    inputs, hidden = first.shape
    saved = inputs * hidden if uses.get(inner.id, 1) <= 1 else 0
    if inputs * outputs > saved + hidden * outputs or inputs * outputs > LARGEST_CONSTANT:
        return None
    if first.dtype.kind != "f" or not np.isfinite(first).all():
        return None
    note(f"two projections became one of {inputs} by {outputs}")
    return _Linear(inner.inputs[0], first.astype(_EXACT) @ linear.weights, linear.bias)


def _affine_matrix(matrix: Node, width: int) -> _Affine | None:
    """The innermost acceptable state of peeling constant rows off a matrix."""
    best = None
    for state in _peel(matrix, width):
        if _may_shift(state):
            best = state
    return best


def _affine_table(matrix: Node) -> _Affine | None:
    columns, scales, shifts = [], [], []
    for column in matrix.inputs:
        states = [state for state in _peel(column, 1) if _may_shift(state)]
        best = states[-1] if states else _Affine(column, np.ones(1, _EXACT), np.zeros(1, _EXACT), False)
        columns.append(best.source)
        scales.append(best.scale[0])
        shifts.append(best.shift[0])
    if all(new is old for new, old in zip(columns, matrix.inputs, strict=True)):
        return None
    return _Affine(table(columns, matrix), np.array(scales), np.array(shifts), True)


def _peel(node: Node, width: int) -> Iterator[_Affine]:
    """`node` as scale * source + shift, one op further in with each state."""
    scale, shift, unit = np.ones(width, _EXACT), np.zeros(width, _EXACT), False
    while (step := _affine_step(node, width)) is not None:
        unit = unit or node.op in ("multiply", "divide")
        node, factor, offset = step
        shift = shift + scale * offset
        scale = scale * factor
        if not (np.isfinite(scale).all() and np.isfinite(shift).all() and scale.all()):
            return
        yield _Affine(node, scale, shift, unit)


def _affine_step(node: Node, width: int) -> tuple[Node, np.ndarray, np.ndarray] | None:
    """(source, factor, offset) with node = factor * source + offset; None when the op is no such thing."""
    if node.dtype.kind != "f" or node.op not in ("add", "subtract", "multiply", "divide", "negative"):
        return None
    one, zero = np.ones(width, _EXACT), np.zeros(width, _EXACT)
    if node.op == "negative":
        return node.inputs[0], -one, zero
    source, constant = node.inputs
    row = _row(constant, width)
    if row is None and node.op in ("add", "multiply"):
        source, row = constant, _row(source, width)
    if row is None or source.shape != node.shape or not np.isfinite(row).all():
        return None
    if node.op in ("add", "subtract"):
        return source, one, row if node.op == "add" else -row
    if not row.all():
        return None
    return source, row if node.op == "multiply" else one / row, zero


def _row(constant: Node, width: int) -> np.ndarray | None:
    found = constant_column(constant) if width == 1 else None
    row = np.atleast_1d(found) if found is not None else row_of_constants(constant, width)
    return row.astype(_EXACT) if row is not None and row.dtype.kind == "f" and row.shape == (width,) else None


def _may_shift(state: _Affine) -> bool:
    """Whether folding the shift keeps the digits; the docstring of the file says why."""
    if not state.shift.any() or state.source.op == "dot":
        return True
    return state.unit and bool(np.all(np.abs(state.shift) <= _LARGEST_SHIFT))
