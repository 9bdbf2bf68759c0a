"""What is sliced away is never computed: slices, picked columns and gathers move towards the inputs.

    %2 = exp %0 : float64[n,3]                                     (used here only)
    %3 = slice %2 slices=((None,None,1),(2,3,1)) : float64[n,1]
    %4 = reshape %3 shape=(n) : float64[n]
=>
    %1 = slice %0 slices=((0,None,1),(2,3,1)) : float64[n,1]
    %2 = reshape %1 shape=(n) : float64[n]
    %3 = exp %2 : float64[n]

A slice of rows does not move below an op whose whole result is needed as well: that would compute it twice. A
picked column does, since other columns are other work.
"""

from __future__ import annotations

import functools

from fuse.ir import build
from fuse.ir.node import Graph, Node
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Bounds, Dim, Shape, compose_slices, element_count
from fuse.optimize.columns import WIDEST_RESULT, is_row_model
from fuse.optimize.match import MAPS, map_operands, scalar_source
from fuse.optimize.rules import Rules, normalize, rule, rules_of, use_counts

_WHOLE: Bounds = (0, None, 1)
# Computing such an op again costs no more than keeping its result.
_CHEAP = 2.0
_VIEWS = frozenset({"slice", "reshape", "transpose", "broadcast", "convert"})


def push_slices(graph: Graph) -> Graph:
    """The graph with slices, unit reshapes and gathers as near to the inputs as they can go."""
    uses = use_counts(graph.nodes())
    outputs = {node.id for node in graph.outputs}
    shared = {node_id for node_id, count in uses.items() if count > 1 or node_id in outputs}

    def replaced(node: Node, by: Node) -> None:
        if node.id in shared:
            shared.add(by.id)

    return normalize(graph, _with_moves(shared), replaced)


def _with_moves(shared: set[int]) -> Rules:
    """The rules of this file, and the two that must know which nodes have another use."""
    table = {op: rules for op, rules in RULES.items() if op not in ("slice", "reshape")}
    table["slice"] = (*RULES["slice"], functools.partial(slice_before_map, shared=shared))
    table["reshape"] = (*RULES["reshape"], functools.partial(squeeze_before_map, shared=shared))
    return table


@rule("slice")
def slice_of_everything(node: Node) -> Node | None:
    """
    make("slice", m, slices=((0, 3, 1), (0, 4, 1))) => m
    make("slice", m, slices=((None, 7, 1), (1, -1, 1))) => m[0:, 1:3]
    """
    (value,) = node.inputs
    slices = tuple(_canonical(b, n) for b, n in zip(node.attrs["slices"], value.shape, strict=True))
    return build.slice_(value, slices) if slices != node.attrs["slices"] else None


def _canonical(bounds: Bounds, length: Dim) -> Bounds:
    """One spelling of a slice; along a known length without None and negative numbers where possible."""
    start, stop, step = bounds
    if not isinstance(length, int):
        return (0, stop, step) if start is None and step is not None and step > 0 else bounds
    combined = compose_slices(length, bounds, (None, None, None))
    assert combined is not None
    return _WHOLE if combined == (0, length, 1) else combined


@rule("slice")
def slice_twice(node: Node) -> Node | None:
    """
    m[1:][:, ::2] => m[1:3, 0:4:2]
    x[1:][::2] => x[1::2]
    v[::-1][2:] stays
    """
    (inner,) = node.inputs
    if inner.op != "slice":
        return None
    (value,) = inner.inputs
    triples = zip(value.shape, inner.attrs["slices"], node.attrs["slices"], strict=True)
    slices = [compose_slices(*triple) for triple in triples]
    result = build.slice_(value, [s for s in slices if s is not None]) if None not in slices else None
    return result if result is not None and result.type == node.type else None


@rule("slice")
def slice_of_broadcast(node: Node) -> Node | None:
    """
    broadcast(s, 3, 4)[1:] => broadcast(s, 2, 4)
    broadcast(r4, 3, 4)[1:, 1:3] => broadcast(r4[1:3], 2, 2)
    """
    (inner,) = node.inputs
    if inner.op != "broadcast":
        return None
    (source,) = inner.inputs
    rank = len(source.shape)
    pairs = zip(
        source.shape,
        node.attrs["slices"][len(node.shape) - rank :],
        node.shape[-rank:] if rank else (),
        strict=True,
    )
    # A repeated axis keeps its one element whatever is picked from the repetitions.
    slices = [_WHOLE if length == 1 else bounds for length, bounds, _ in pairs]
    return build.broadcast(build.slice_(source, slices), node.shape)


@rule("slice")
def slice_of_stack(node: Node) -> Node | None:
    """
    stack(x, y, z, axis=1)[:, 1:] => stack(y, z, axis=1)
    stack(x, y, axis=0)[:, 2:] => stack(x[2:], y[2:], axis=0)
    """
    (inner,) = node.inputs
    if inner.op != "stack":
        return None
    axis, slices = inner.attrs["axis"], node.attrs["slices"]
    picked = inner.inputs[slice(*slices[axis])]
    if not picked:
        return None
    rest = (*slices[:axis], *slices[axis + 1 :])
    return build.stack([build.slice_(value, rest) for value in picked], axis)


@rule("slice")
def slice_of_concatenate(node: Node) -> Node | None:
    """
    concatenate(r3, r4, axis=0)[3:5] => r4[0:2]
    concatenate(r3, r4, axis=0)[1:5] => concatenate(r3[1:3], r4[0:2], axis=0)
    concatenate(r3, r4, axis=0)[::2] stays
    """
    (inner,) = node.inputs
    if inner.op != "concatenate":
        return None
    axis, slices = inner.attrs["axis"], node.attrs["slices"]
    lengths = [value.shape[axis] for value in inner.inputs]
    if slices[axis] in (_WHOLE, (None, None, 1)):
        return build.concatenate([build.slice_(value, slices) for value in inner.inputs], axis)
    if slices[axis][2] != 1 or not all(isinstance(length, int) for length in lengths):
        return None
    start, stop, _ = slice(*slices[axis]).indices(sum(lengths))
    parts, offset = [], 0
    for value, length in zip(inner.inputs, lengths, strict=True):
        low, high = max(start - offset, 0), min(stop - offset, length)
        if low < high:
            parts.append(build.slice_(value, (*slices[:axis], (low, high, 1), *slices[axis + 1 :])))
        offset += length
    return build.concatenate(parts, axis) if parts else None


@rule("slice")
def slice_of_transpose(node: Node) -> Node | None:
    """make("transpose", m, axes=(1, 0))[1:] => make("transpose", m[:, 1:], axes=(1, 0))"""
    (inner,) = node.inputs
    if inner.op != "transpose":
        return None
    slices = [_WHOLE] * len(node.shape)
    for bounds, axis in zip(node.attrs["slices"], inner.attrs["axes"], strict=True):
        slices[axis] = bounds
    return build.transpose(build.slice_(inner.inputs[0], slices), inner.attrs["axes"])


@rule("slice")
def slice_of_rows_as_column(node: Node) -> Node | None:
    """make("reshape", x, shape=(7, 1))[2:] => make("reshape", x[2:], shape=(5, 1))"""
    (inner,) = node.inputs
    if inner.op != "reshape" or inner.shape != (*inner.inputs[0].shape, 1) or len(inner.shape) != 2:
        return None
    rows, column = node.attrs["slices"]
    whole_column = len(range(1)[slice(*column)]) == 1
    return build.reshape(build.slice_(inner.inputs[0], [rows]), node.shape) if whole_column else None


@rule("slice")
def slice_of_unit_axes(node: Node) -> Node | None:
    """
    make("reshape", m, shape=(3, 1, 4))[:, :, 1:2] => make("reshape", m[:, 1:2], shape=(3, 1, 1))
    make("reshape", m, shape=(3, 2, 2))[:, :, 1:2] stays

    An axis of length 1 that was put in keeps its one element whatever is sliced beside it.
    """
    (inner,) = node.inputs
    if inner.op != "reshape" or len(inner.shape) < 3:
        return None
    (source,) = inner.inputs
    kept = kept_axes(inner.shape, source.shape)
    if kept is None:
        return None
    slices = node.attrs["slices"]
    if any(len(range(1)[slice(*slices[axis])]) != 1 for axis in set(range(len(slices))) - set(kept)):
        return None
    return build.reshape(build.slice_(source, [slices[axis] for axis in kept]), node.shape)


@rule("slice")
def slice_of_dot(node: Node) -> Node | None:
    """
    dot(f23, f34)[1:, 1:3] => dot(f23[1:], f34[:, 1:3])
    dot(f23, f34)[1:] => dot(f23[1:], f34)

    Columns of a narrow product stay: a loop computes it once and reads the columns off.
    """
    (inner,) = node.inputs
    if inner.op != "dot" or (is_row_model(inner) and node.attrs["slices"][0] == _WHOLE):
        return None
    left, right = inner.inputs
    slices = list(node.attrs["slices"])
    if len(left.shape) == 2:
        left = build.slice_(left, [slices.pop(0), _WHOLE])
    if len(right.shape) == 2:
        right = build.slice_(right, [_WHOLE, slices.pop(0)])
    return build.dot(left, right, inner.location)


@rule("slice")
def slice_of_filtered_columns(node: Node) -> Node | None:
    """compress(m, p3)[:, 1:2] => compress(m[:, 1:2], p3)"""
    (inner,) = node.inputs
    slices = node.attrs["slices"]
    if inner.op != "compress" or slices[0] not in (_WHOLE, (None, None, 1)) or len(slices) < 2:
        return None
    value, mask = inner.inputs
    return build.compress(build.slice_(value, slices), mask)


@rule("slice")
def slice_of_gathered_columns(node: Node) -> Node | None:
    """
    gather(m, i3)[:, 1:2] => gather(m[:, 1:2], i3)
    gather(m, i3)[1:] stays
    """
    (inner,) = node.inputs
    if inner.op != "gather":
        return None
    table, indices = inner.inputs
    rank = len(indices.shape)
    slices = node.attrs["slices"]
    if any(bounds not in (_WHOLE, (None, None, 1)) for bounds in slices[:rank]) or rank == len(slices):
        return None
    return build.gather(build.slice_(table, [_WHOLE, *slices[rank:]]), indices, inner.attrs["mode"])


@rule("reshape")
def reshape_twice(node: Node) -> Node | None:
    """
    make("reshape", make("reshape", m, shape=(6, 2)), shape=(12,)) => make("reshape", m, shape=(12,))
    make("reshape", m, shape=(3, 4)) => m
    """
    (inner,) = node.inputs
    if inner.shape == node.shape:
        return inner
    return build.reshape(inner.inputs[0], node.shape) if inner.op == "reshape" else None


@rule("transpose")
def transpose_twice(node: Node) -> Node | None:
    """
    make("transpose", make("transpose", m, axes=(1, 0)), axes=(1, 0)) => m
    make("transpose", m, axes=(0, 1)) => m
    """
    (inner,) = node.inputs
    if inner.op == "transpose":
        return build.transpose(inner.inputs[0], [inner.attrs["axes"][axis] for axis in node.attrs["axes"]])
    return build.transpose(inner, node.attrs["axes"])


@rule("reshape")
def squeeze_of_stack(node: Node) -> Node | None:
    """make("reshape", stack(x, axis=1), shape=(7,)) => x"""
    (inner,) = node.inputs
    if inner.op != "stack" or len(inner.inputs) != 1:
        return None
    return build.reshape(inner.inputs[0], node.shape)


@rule("reshape")
def squeeze_of_broadcast(node: Node) -> Node | None:
    """
    make("reshape", broadcast(s, 3, 4), shape=(12,)) => broadcast(s, 12)
    make("reshape", broadcast(r4, 1, 4), shape=(4,)) => r4
    """
    (inner,) = node.inputs
    if inner.op != "broadcast":
        return None
    scalar = scalar_source(inner)
    if scalar is not None:
        return build.broadcast(scalar, node.shape)
    kept = kept_axes(inner.shape, node.shape)
    if kept is None:
        return None
    (source,) = inner.inputs
    padded = (1,) * (len(inner.shape) - len(source.shape)) + source.shape
    return build.broadcast(build.reshape(source, tuple(padded[axis] for axis in kept)), node.shape)


def kept_axes(before: Shape, after: Shape) -> tuple[int, ...] | None:
    """The axes that stay when `after` is `before` without some axes of length 1; None when it is not.

    >>> kept_axes((1, 5, 1), (5, 1))
    (1, 2)
    """
    kept: list[int] = []
    for axis, length in enumerate(before):
        if (
            len(kept) < len(after)
            and length == after[len(kept)]
            and (length != 1 or _enough_ones(before, axis, after, kept))
        ):
            kept.append(axis)
        elif length != 1:
            return None
    return tuple(kept) if len(kept) == len(after) < len(before) else None


def _enough_ones(before: Shape, axis: int, after: Shape, kept: list[int]) -> bool:
    """Whether this axis of length 1 is needed: the ones left over are dropped from the front."""
    rest = after[len(kept) :]
    return sum(n == 1 for n in before[axis:]) <= sum(n == 1 for n in rest)


@rule("reshape")
def squeeze_of_filtered(node: Node) -> Node | None:
    """
    make("reshape", compress(m31, p3), shape=compress(r3, p3).shape) =>
        compress(make("reshape", m31, shape=(3,)), p3)
    """
    (inner,) = node.inputs
    if inner.op != "compress" or len(node.shape) != 1 or len(inner.shape) != 2 or inner.shape[1] != 1:
        return None
    value, mask = inner.inputs
    return build.compress(build.reshape(value, value.shape[:1]), mask)


@rule("reshape")
def squeeze_of_dot(node: Node) -> Node | None:
    """make("reshape", dot(f23, f31), shape=(2,)) => dot(f23, make("reshape", f31, shape=(3,)))"""
    (inner,) = node.inputs
    if inner.op != "dot" or len(inner.shape) != 2 or inner.shape[1] != 1 or node.shape != inner.shape[:1]:
        return None
    left, right = inner.inputs
    return build.dot(left, build.reshape(right, right.shape[:1]), inner.location)


def slice_before_map(node: Node, shared: set[int]) -> Node | None:
    """
    exp(m)[:, 1:2] => exp(m[:, 1:2])
    exp(m)[::-1] stays
    """
    (inner,) = node.inputs
    slices = node.attrs["slices"]
    if inner.op not in MAPS or inner.shape == node.shape:  # turning around saves nothing
        return None
    if not (_picks_columns(node) or _may_repeat(inner, shared)):
        return None
    return map_operands(inner, lambda operand: build.slice_(operand, slices))


def _picks_columns(node: Node) -> bool:
    """Whether a slice takes some columns of all rows: one of an axis, or those of a table of few."""
    slices, (inner,) = node.attrs["slices"], node.inputs
    if len(slices) < 2 or slices[0] not in (_WHOLE, (None, None, 1)):
        return False
    width = element_count(inner.shape[1:])
    is_narrow = isinstance(width, int) and width <= WIDEST_RESULT
    return is_narrow or all(
        length in (1, whole) for length, whole in zip(node.shape, inner.shape, strict=True)
    )


def _may_repeat(node: Node, shared: set[int]) -> bool:
    """Whether nothing else wants the whole of this node, or computing a part of it again is cheap: one cheap
    op over what is there. Of differences of differences, every order would double the work.
    """
    row = SCALAR_OPS.get(node.op)
    if node.id not in shared or row is None:
        return True
    return row.cost <= _CHEAP and all(_is_there(source) for source in node.inputs)


def _is_there(node: Node) -> bool:
    """Whether a value is an input or a constant, or a view of one."""
    while node.op in _VIEWS:
        (node,) = node.inputs
    return node.op in ("input", "constant")


def squeeze_before_map(node: Node, shared: set[int]) -> Node | None:
    """make("reshape", exp(m31), shape=(3,)) => exp(make("reshape", m31, shape=(3,)))"""
    (inner,) = node.inputs
    if inner.op not in MAPS or not _may_repeat(inner, shared) or kept_axes(inner.shape, node.shape) is None:
        return None
    return map_operands(inner, lambda operand: build.reshape(operand, node.shape))


@rule("gather")
def gather_by_narrow_index(node: Node) -> Node | None:
    """
    gather(m, convert(u3, int64)) => gather(m, u3)
    gather(m, convert(i3, int8)) stays
    """
    table, indices = node.inputs
    if indices.op != "convert" or indices.inputs[0].dtype.kind not in "iu":
        return None
    (source,) = indices.inputs
    exact = source.dtype.itemsize < indices.dtype.itemsize and (
        source.dtype.kind == "u" or indices.dtype.kind == "i"
    )
    return build.gather(table, source, node.attrs["mode"]) if exact else None


@rule("gather")
def gather_twice(node: Node) -> Node | None:
    """
    gather(gather(m, i3, mode="clip"), i, mode="clip") => gather(m, gather(i3, i, mode="clip"), mode="clip")
    gather(gather(m, i3, mode="raise"), i, mode="clip") stays
    """
    inner, indices = node.inputs
    if inner.op != "gather" or inner.attrs["mode"] != "clip" or len(inner.inputs[1].shape) != 1:
        return None
    table, first = inner.inputs
    return build.gather(table, build.gather(first, indices, node.attrs["mode"]), "clip")


@rule("gather")
def gather_everything(node: Node) -> Node | None:
    """gather(m, iota(3)) => m"""
    table, indices = node.inputs
    whole = indices.op == "iota" and indices.shape == table.shape[:1] and indices.dtype.itemsize == 8
    return table if whole else None


RULES = rules_of(globals())
