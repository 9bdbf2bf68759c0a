"""What is stored between steps, and in which order the steps come.

A value must be in memory when it is an output, when a step of its own reads it, or when it is a reduction. A
value that loops of different kernels use is stored when computing it again would cost more than the store and
the load. Every node gets a level: how many stored values lie, one behind the other, before it. Kernels are
made of roots of one level and one domain.

Filtered rows (dimension `Count`) are either kept inside the kernel that filters, or, when something else
reads them, materialised: then each `compress` by that mask is stored, and later loops run over the stored
rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fuse.ir.node import Node, dependencies, walk
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Count, Dim, Shape, element_count
from fuse.plan.axes import SHORT, Strided, Walk, arrange, arrange_steps
from fuse.plan.classify import FEW_REDUCED, as_outer, as_stored_column, column_table, operands, role_of
from fuse.plan.cost import RECOMPUTE_LIMIT, operation_cost
from fuse.plan.forest_layout import Strategy


class Domain(NamedTuple):
    """What a kernel loops over: a shape, the filter inside it, the axes that are folded (none: no axis or
    all), the axis that scans run along.
    """

    shape: Shape
    mask: Node | None
    reduced: tuple[int, ...]
    scanned: int | None = None

    @property
    def along(self) -> tuple[int, ...]:
        """The axes along which values are carried from element to element."""
        return self.reduced or (() if self.scanned is None else (self.scanned,))

    @property
    def steps(self) -> tuple[int, ...]:
        """Those axes when a loop takes them step by step, the elements of other axes side by side: when what
        lies behind them is long, or when they are last and short.
        """
        if not self.along or self.mask is not None:
            return ()
        behind = self.shape[max(self.along) + 1 :]
        if behind:
            width = element_count(behind)
            return () if isinstance(width, int) and width <= FEW_REDUCED else self.along
        length = element_count(tuple(self.shape[axis] for axis in self.along))
        is_short = isinstance(length, int) and length <= SHORT and len(self.along) < len(self.shape)
        return self.along if is_short else ()

    @property
    def columns(self) -> Dim | None:
        """How many elements are side by side, when no layout of the arrays in memory changes that."""
        behind = self.shape[max(self.steps) + 1 :]
        return behind[0] if len(behind) == 1 else None

    def order(self) -> list[int]:
        """The axes in an order of memory in which those that are folded make one."""
        behind = range(max(self.reduced) + 1, len(self.shape))
        before = [axis for axis in range(len(self.shape)) if axis not in self.reduced and axis not in behind]
        return [*before, *self.reduced, *behind] if self.steps else [*before, *behind, *self.reduced]

    def walk(self, shape: tuple[int, ...], arrays: Sequence[Strided]) -> Walk | None:
        """How to walk arrays that have this shape now."""
        return arrange_steps(shape, arrays, self.steps) if self.steps else arrange(shape, arrays, self.along)


@dataclass
class Placement:
    """order: all nodes, inputs first; stored: nodes in memory; materialised: masks whose kept rows are;
    level: steps that must come before; scanned: of values whose loop scans, along which axis; counts: the
    reduction that counts a mask, for those that are named; forest: the strategy of every forest, when it is
    not chosen by cost; swept: what kernels of several sweeps compute.
    """

    order: list[Node]
    stored: set[Node] = field(default_factory=set)
    materialised: set[Node] = field(default_factory=set)
    level: dict[Node, int] = field(default_factory=dict)
    scanned: dict[Node, int] = field(default_factory=dict)
    counts: Mapping[Node, Node] = field(default_factory=dict)
    forest: Strategy | None = None
    swept: frozenset[Node] = frozenset()

    def is_read(self, node: Node) -> bool:
        """Whether a loop reads this node from memory instead of computing it."""
        return role_of(node) != "fused" or (node in self.stored and not self.is_kept(node))

    def is_kept(self, node: Node) -> bool:
        """Whether the node's rows are those that a filter inside the kernel keeps."""
        mask = filter_of(node)
        return mask is not None and mask not in self.materialised

    def domain(self, root: Node) -> Domain:
        """The loop that computes a root."""
        if role_of(root) == "reduce":
            source = root.inputs[0]
            axes = tuple(root.attrs["axes"])
            found = self._over(source, axes if len(axes) < source.type.rank else ())
            return found._replace(scanned=None) if self.is_read(source) else found
        if root.op == "compress":
            return Domain(root.inputs[1].shape, root.inputs[1], ())
        if loops_over_rows(root) and not self.is_kept(root):
            return Domain(root.shape[:1], None, ())
        return self._over(root, ())

    def _over(self, source: Node, reduced: tuple[int, ...]) -> Domain:
        if self.is_kept(source):
            mask = filter_of(source)
            assert mask is not None
            return Domain(mask.shape, mask, reduced)
        by_rows = loops_over_rows(source) and not self.is_read(source)
        shape = source.shape[:1] if by_rows else source.shape
        return Domain(shape, None, reduced, self.scanned.get(source))

    def body(self, root: Node) -> list[Node]:
        """The nodes that the root's loop computes, inputs before users."""
        sources = operands(root) if role_of(root) == "reduce" else (root,)

        def is_computed(node: Node) -> bool:
            return node is root or not self.is_read(node)

        return list(walk(filter(is_computed, sources), lambda node: filter(is_computed, _needs(node))))

    def needs(self, node: Node) -> tuple[Node, ...]:
        """What must be known before a node: operands, and the masks whose counts its attributes name."""
        return _needs(node)

    def ready(self, source: Node) -> int:
        """The level from which on a loop may use a value."""
        return _ready(self, self.level, source)

    def set_levels(self, known: Mapping[Node, int]) -> None:
        """Levels anew, for values that are computed at a known level."""
        self.level = _levels(self, known)

    def roots(self) -> list[Node]:
        """The stored nodes that kernels compute, in order."""
        stored = [node for node in self.order if node in self.stored and node not in self.swept]
        return [node for node in stored if role_of(node) in ("fused", "reduce")]


def place(outputs: Sequence[Node], counts: Mapping[Node, Node]) -> Placement:
    """Decide what is stored for a graph with these outputs. `counts`: reductions that give named lengths."""
    wanted = [*counts.values(), *outputs]
    found = Placement(list(walk(wanted, _needs)), counts=counts)
    found.stored.update(_must_store(found.order, wanted))
    found.materialised.update(_read_outside_their_kernel(found))
    while True:
        found.stored |= {n for n in found.order if n.op == "compress" and n.inputs[1] in found.materialised}
        store_scans_apart(found)
        found.level = _levels(found)
        dear = _dear_in_several_kernels(found)
        if not dear:
            return found
        kept = {mask for node in dear if found.is_kept(node) and (mask := filter_of(node)) is not None}
        found.materialised |= kept
        found.stored |= dear


def store_scans_apart(found: Placement) -> None:
    """A loop carries values along one axis: scans along another, and those that something else than a map
    over the same elements uses, are stored. Fills in `scanned`.
    """
    found.scanned = {}
    for node in found.order:
        sources = [s for s in operands(node) if s in found.scanned and not found.is_read(s)]
        axis = node.attrs["axis"] if node.op == "scan" else found.scanned[sources[0]] if sources else None
        for source in sources:
            if found.scanned[source] != axis or not _goes_along(node, axis):
                found.stored.add(source)
        inside = any(not found.is_read(source) for source in sources)
        if axis is not None and role_of(node) == "fused" and (inside or node.op == "scan"):
            found.scanned[node] = axis


def _goes_along(node: Node, axis: int) -> bool:
    """Whether a loop that carries values along an axis can compute a node that uses them."""
    if role_of(node) == "reduce":
        return node.inputs[0].type.rank == 1 or node.attrs["axes"] == (axis,)
    return node.op == "scan" or (node.op in SCALAR_OPS or node.op in ("convert", "bitcast"))


def filter_of(node: Node) -> Node | None:
    """The mask whose true rows are the rows of this value."""
    first = node.shape[0] if node.shape else None
    return first.mask if isinstance(first, Count) else None


def loops_over_rows(node: Node) -> bool:
    """Whether a matrix is computed row by row, with its columns side by side in the loop's body."""
    return node.op in ("stack", "forest", "dot") and role_of(node) == "fused"


def _must_store(order: Iterable[Node], outputs: Sequence[Node]) -> set[Node]:
    stored = set(outputs)
    for node in order:
        if role_of(node) == "step":
            stored.update((node, *operands(node)))
        elif role_of(node) == "reduce":
            stored.add(node)
            if loops_over_rows(node.inputs[0]):
                stored.add(node.inputs[0])
        else:
            stored.update(_read_as_a_whole(node))
    return {node for node in stored if role_of(node) != "leaf"}


def _read_as_a_whole(node: Node) -> tuple[Node, ...]:
    """Operands of a fused node that must lie in memory: tables, and matrices that are not columns side by
    side.
    """
    if node.op == "gather":
        return (node.inputs[0], *filter(loops_over_rows, operands(node)[1:]))
    outer = as_outer(node)
    if outer is not None:
        return tuple(column_table(column)[0] for column in outer.columns.values())
    if as_stored_column(node) is not None:
        return operands(node)
    if node.op in ("forest", "dot"):
        left = node.inputs[0]
        return node.inputs[1:] if left.op == "stack" and role_of(left) == "fused" else node.inputs
    if node.type.rank > 1 and not loops_over_rows(node):
        return tuple(operand for operand in node.inputs if loops_over_rows(operand))
    return ()


def _read_outside_their_kernel(found: Placement) -> set[Node]:
    """Masks whose filtered rows something else than the filtering kernel reads."""
    filters = {node.inputs[1] for node in found.order if node.op == "compress"}
    filters.update(mask for node in found.order for mask in _named_masks(node))
    masks = set()
    for node in found.order:
        outside = role_of(node) in ("leaf", "step") or node.op in ("iota", "scan") or node in filters
        nested = node.type.rank > 1 and not loops_over_rows(node)
        if outside or nested:
            masks.add(filter_of(node))
        if role_of(node) == "reduce" and loops_over_rows(node.inputs[0]):
            masks.add(filter_of(node.inputs[0]))
        if role_of(node) == "step" or _read_as_a_whole(node):
            masks.update(filter_of(i) for i in operands(node) if i in found.stored)
    return {mask for mask in masks if mask is not None}


def _levels(found: Placement, known: Mapping[Node, int] | None = None) -> dict[Node, int]:
    """A loop body has the level of the last thing it reads; what is stored is there one level later.

    A length that an attribute names is read too, but not the length of the rows that the loop's own filter
    keeps: there the filter itself is read, also by a constant in its rows.
    """
    level: dict[Node, int] = {}
    for node in found.order:
        if known and node in known:
            level[node] = known[node]
            continue
        own = filter_of(node) if found.is_kept(node) else None
        lengths = (found.counts[m] for m in _named_masks(node) if m in found.counts and m is not own)
        sources = (*operands(node), *lengths, *(() if own is None else (own,)))
        level[node] = max((_ready(found, level, source) for source in sources), default=0)
    return level


def _ready(found: Placement, level: dict[Node, int], source: Node) -> int:
    return 0 if role_of(source) == "leaf" else level[source] + (1 if found.is_read(source) else 0)


def _dear_in_several_kernels(found: Placement) -> set[Node]:
    """Fused values that several kernels would compute, and that are dearer than a store and a load."""
    kernels: dict[Node, set[tuple[int, Domain]]] = {}
    for root in found.roots():
        kernel = (found.level[root], found.domain(root))
        for node in found.body(root):
            kernels.setdefault(node, set()).add(kernel)
    cost: dict[Node, float] = {}
    for node in found.order:
        inside = 0.0 if found.is_read(node) else sum(cost[i] for i in operands(node))
        cost[node] = 0.0 if role_of(node) == "leaf" else operation_cost(node) + inside
    shared = (node for node, users in kernels.items() if len(users) > 1 and not found.is_read(node))
    return {node for node in shared if cost[node] > RECOMPUTE_LIMIT and node.op != "stack"}


def _needs(node: Node) -> tuple[Node, ...]:
    """Operands, and the masks whose counts the node's attributes name."""
    return operands(node) + _named_masks(node)


def _named_masks(node: Node) -> tuple[Node, ...]:
    """The masks whose counts the attributes of a node name; the filter itself finds its count."""
    return () if node.op == "compress" else dependencies(node)[len(node.inputs) :]
