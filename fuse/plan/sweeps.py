"""Values of a row that wait for reductions of the same row: one kernel that sweeps each row several times.

    m = max(x, axis=1)                          sweep 0: reduce x
    e = exp(x - m[:, None])                     sweep 1: e to scratch memory, reduce it
    softmax = e / sum(e, axis=1)[:, None]       sweep 2: divide

Planned level by level, these are three kernels, each of which reads the whole array and computes again what
it does not want to store. A row stays in cache between its sweeps, so only the first one reads memory.

A group is found around wide values (the shape that is reduced along its last axis) and narrow ones (one value
a row). Left out: rows behind a filter, and rows longer than one unit of work, whose sums are put together
after the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from fuse.ir import build
from fuse.ir.node import Node, walk
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Count, Shape
from fuse.plan.axes import SHORT
from fuse.plan.classify import can_emit, is_loop_dtype, role_of
from fuse.plan.placement import Domain, Placement, store_scans_apart
from fuse.plan.schedule import BLOCK, Schedule

SHORTEST_ROW = SHORT
"""Rows up to this length are taken side by side, not one by one."""


@dataclass(eq=False)
class Sweeps:
    """One group. members: what the kernel computes, inputs first; sweep: in which sweep a wide member can be
    computed, or after how many a narrow one is known; sources: what it reads, for members' operands that are
    no members; results: what it stores; level: steps before it; schedule:
    that of its sums, which fixes the order in which they add.
    """

    shape: Shape
    members: list[Node]
    sweep: dict[Node, int]
    sources: dict[Node, Node] = field(default_factory=dict)
    results: list[Node] = field(default_factory=list)
    level: int = 0
    schedule: Schedule | None = None

    @property
    def domain(self) -> Domain:
        """Rows, folded along their last axis."""
        return Domain(self.shape, None, (len(self.shape) - 1,))

    def is_wide(self, node: Node) -> bool:
        """Whether a value has an element for every element of a row."""
        return node.shape == self.shape


def find_sweeps(placement: Placement, outputs: Sequence[Node]) -> list[Sweeps]:
    """The groups of a placement, those that others wait for first."""
    shapes = {node.inputs[0].shape: None for node in placement.order if _folds_rows(node)}
    found: list[Sweeps] = []
    for shape in shapes:
        phases = _phases(placement.order, shape)
        for phase in sorted(set(phases.values())):
            group = _group(placement, shape, phases, phase, outputs)
            if group is not None:
                found.append(group)
    return found


def _folds_rows(node: Node) -> bool:
    if node.op != "reduce" or role_of(node) != "reduce":
        return False
    (source,) = node.inputs
    length = source.shape[-1]
    return (
        source.type.rank > 1
        and node.attrs["axes"] == (source.type.rank - 1,)
        and isinstance(length, int)
        and SHORTEST_ROW < length <= BLOCK
        and not any(isinstance(dim, Count) for dim in source.shape)
    )


# What can be a member


def _can_join(node: Node, shape: Shape) -> bool:
    """Whether a kernel over rows of this shape could compute the node."""
    if node.shape == shape:
        spreads = node.op == "broadcast" and node.inputs[0].shape == (*shape[:-1], 1)
        return spreads or (_is_map(node) and role_of(node) == "fused")
    if node.shape not in (shape[:-1], (*shape[:-1], 1)):
        return False
    if node.op == "reshape":
        return node.inputs[0].shape in (shape[:-1], (*shape[:-1], 1))
    return (_folds_rows(node) and node.inputs[0].shape == shape) or _is_map(node)


def _is_map(node: Node) -> bool:
    if node.op not in SCALAR_OPS and node.op != "convert":
        return False
    dtypes = [operand.dtype for operand in node.inputs]
    changes_dates = node.op == "convert" and "m" in (node.dtype.kind + dtypes[0].kind).lower()
    is_complex = "c" in (node.dtype.kind, *(dtype.kind for dtype in dtypes))
    return is_loop_dtype(node.dtype) and can_emit(node.op, dtypes) and not (changes_dates or is_complex)


def _phases(order: Iterable[Node], shape: Shape) -> dict[Node, int]:
    """For each node that can join, how often the way to it leaves the rows and comes back."""
    phases: dict[Node, int] = {}
    outside: dict[Node, int] = {}
    for node in order:
        joins = _can_join(node, shape)
        before = [phases[i] + (not joins) if i in phases else outside.get(i, 0) for i in node.inputs]
        (phases if joins else outside)[node] = max(before, default=0)
    return phases


# Groups


def _group(
    placement: Placement, shape: Shape, phases: dict[Node, int], phase: int, outputs: Sequence[Node]
) -> Sweeps | None:
    """The group of one shape and phase; None when nothing in it waits for a reduction of its own rows."""
    sweep = _sweep_numbers(placement.order, phases, phase, shape)
    stored = placement.stored
    ends = [
        node
        for node in placement.order
        if sweep.get(node, 0) > 0 and ((node.shape == shape and node in stored) or _waits(node, sweep))
    ]
    ends = [node for node in ends if node.op != "broadcast"]
    if not ends:
        return None
    group = Sweeps(shape, [], sweep)
    _collect(group, ends, phases, phase, stored)
    members = set(group.members)
    users = _users(placement.order)
    computed = [node for node in group.members if node.op != "broadcast"]  # a repeated value is a view
    group.results = [
        node
        for node in computed
        if node.op == "reduce"
        or (node.shape == shape and node in stored and _is_wanted(node, members, users, outputs))
    ]
    return group


def _waits(node: Node, sweep: dict[Node, int]) -> bool:
    """Whether a reduction folds what another one was needed for."""
    return node.op == "reduce" and sweep[node] > 1


def _sweep_numbers(
    order: Iterable[Node], phases: dict[Node, int], phase: int, shape: Shape
) -> dict[Node, int]:
    """For what depends on a reduction of this phase, the first sweep that can compute or read it."""
    sweep: dict[Node, int] = {}
    for node in order:
        if node not in phases or phases[node] > phase:
            continue
        before = max((sweep.get(source, 0) for source in node.inputs), default=0)
        if node.op == "reduce":
            before += phases[node] == phase
        if before:
            sweep[node] = before
    return sweep


def _collect(
    group: Sweeps, ends: Sequence[Node], phases: dict[Node, int], phase: int, stored: set[Node]
) -> None:
    """Fill in the members that the ends need, and what is read in place of other operands."""

    def is_member(node: Node) -> bool:
        return _is_member(group, node, phases, phase, stored)

    for node in walk(ends, lambda node: node.inputs if is_member(node) else ()):
        if is_member(node):
            group.members.append(node)
        else:
            group.sources[node] = _readable(group, node)


def _is_member(group: Sweeps, node: Node, phases: dict[Node, int], phase: int, stored: set[Node]) -> bool:
    if node in group.sweep:
        return phases[node] == phase
    recomputed = group.is_wide(node) and node in phases and node.op != "broadcast"
    return recomputed and (node not in stored or phases[node] == phase)


def _readable(group: Sweeps, node: Node) -> Node:
    """The node to read: one value a row is read as an array of the whole shape that repeats it."""
    if node.op == "broadcast" and not node.inputs[0].shape:
        return node.inputs[0]
    if not node.shape or group.is_wide(node):
        return node
    return build.broadcast(build.reshape(node, (*group.shape[:-1], 1)), group.shape)


def _users(order: Iterable[Node]) -> dict[Node, list[Node]]:
    users: dict[Node, list[Node]] = {}
    for node in order:
        for source in node.inputs:
            users.setdefault(source, []).append(node)
    return users


def _is_wanted(
    node: Node, members: set[Node], users: dict[Node, list[Node]], outputs: Sequence[Node]
) -> bool:
    return node in outputs or any(user not in members for user in users.get(node, ()))


# Their place among the other steps


def rearranged(placement: Placement, groups: Sequence[Sweeps], wanted: Sequence[Node]) -> Placement | None:
    """The placement with the groups' results left to the groups: order, stored values and levels follow.

    None when groups wait for each other.
    """
    owner = {result: group for group in groups for result in group.results}

    def below(node: Node) -> Iterable[Node]:
        return owner[node].sources.values() if node in owner else placement.needs(node)

    order = list(walk(wanted, below))
    kept = set(order)
    stored = {node for node in placement.stored if node in kept} | (set(owner) & kept)
    for node in order:
        if node in owner:
            reads: Iterable[Node] = owner[node].sources.values()
        elif role_of(node) == "step":
            reads = (node, *placement.needs(node))
        else:
            continue
        stored.update(source for source in reads if role_of(source) != "leaf")
    found = replace(placement, order=order, stored=stored, swept=frozenset(owner))
    store_scans_apart(found)
    return found if _set_levels(found, groups, owner) else None


def _set_levels(placement: Placement, groups: Sequence[Sweeps], owner: dict[Node, Sweeps]) -> bool:
    """Levels rise until every group stands behind all that it reads; false when they never come to rest."""
    for _ in range(len(groups) + 2):
        placement.set_levels({result: group.level for result, group in owner.items()})
        wanted = [max(map(placement.ready, group.sources.values()), default=0) for group in groups]
        if all(level <= group.level for level, group in zip(wanted, groups, strict=True)):
            return True
        for group, level in zip(groups, wanted, strict=True):
            group.level = max(level, group.level)
    return False
