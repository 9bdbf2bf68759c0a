"""The road from an optimized graph to a plan, read like a table of contents."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import cast

import numpy as np

from fuse import config
from fuse.ir import build
from fuse.ir.node import Graph, Node, dependencies
from fuse.plan.assemble import assemble
from fuse.plan.classify import forget, role_of
from fuse.plan.forest_layout import SINGLE_ROW, Strategy
from fuse.plan.placement import Domain, Placement, place
from fuse.plan.schedule import Schedule
from fuse.plan.steps import LibraryStep, Plan, Step
from fuse.plan.sweep_kernel import assemble_sweeps, shared_schedule
from fuse.plan.sweeps import Sweeps, find_sweeps, rearranged
from fuse.plan.updates import place_updates


def make_plan(
    graph: Graph,
    inputs: Sequence[Node],
    forest: Strategy | None = None,
    donated: Collection[Node] = (),
) -> Plan:
    """Steps that compute the outputs of a graph; `forest` forces how forests are evaluated, the memory of
    `donated` inputs may be taken for results.

    Otherwise the setting `schedule` may force it, and else it is chosen by cost. The setting `disable` may
    name `find_sweeps`, like a pass.
    """
    try:
        placement = place(graph.outputs, _wanted_counts(graph))
        placement.forest = forest or cast("Strategy | None", config.current().forced("forest"))
        groups: list[Sweeps] = []
        if forest not in SINGLE_ROW and find_sweeps.__name__ not in config.current().disable:
            placement, groups = _with_sweeps(placement, graph)
        steps = _steps(placement, groups)
        if forest not in SINGLE_ROW:
            steps = place_updates(steps, graph.outputs, donated)
        return Plan(tuple(inputs), tuple(graph.outputs), tuple(steps))
    finally:
        forget()


def _wanted_counts(graph: Graph) -> dict[Node, Node]:
    """For each mask whose count an attribute names, the reduction that counts its rows."""
    masks = {mask: None for node in graph.nodes() if node.op != "compress" for mask in _masks(node)}
    return {mask: count_of_mask(mask) for mask in masks}


def _masks(node: Node) -> tuple[Node, ...]:
    return dependencies(node)[len(node.inputs) :] if node.op != "input" else ()


def count_of_mask(mask: Node) -> Node:
    """The number of true elements, as a node."""
    return build.reduce("sum", build.convert(mask, np.dtype(np.int64)))


def _with_sweeps(placement: Placement, graph: Graph) -> tuple[Placement, list[Sweeps]]:
    """The placement, and the groups of values that one kernel computes in several sweeps over a row.

    Such a kernel adds in the order of the kernels that it replaces. One row alone is no matter of memory.
    """
    found = find_sweeps(placement, graph.outputs)
    schedules = _schedules(placement, found)
    groups = [group for group in found if _schedule(group, schedules) is not None]
    if not groups:
        return placement, []
    for group in groups:
        group.schedule = _schedule(group, schedules)
    after = rearranged(placement, groups, [*placement.counts.values(), *graph.outputs])
    return (placement, []) if after is None else (after, groups)


def _schedules(placement: Placement, groups: Sequence[Sweeps]) -> dict[Node, Schedule]:
    """How the reductions of groups would be computed one by one."""
    wanted = {node for group in groups for node in group.results if node.op == "reduce"}
    found: dict[Node, Schedule] = {}
    for (_, domain), roots in (_groups(placement) if wanted else {}).items():
        if wanted & set(roots):
            schedule = assemble(placement, domain, roots).kernel.schedule
            found.update(dict.fromkeys(roots, schedule))
    return found


def _schedule(group: Sweeps, schedules: Mapping[Node, Schedule]) -> Schedule | None:
    """The one schedule of all sums of a group; where there is none, that of any reduction."""
    reductions = [node for node in group.results if node.op == "reduce"]
    sums = [n for n in reductions if n.attrs["kind"] in ("sum", "prod") and n.dtype.kind == "f"]
    return shared_schedule([schedules[node] for node in sums or reductions[:1]])


def _groups(placement: Placement) -> dict[tuple[int, Domain], list[Node]]:
    """The values that kernels compute, by level and domain."""
    groups: dict[tuple[int, Domain], list[Node]] = {}
    for root in placement.roots():
        groups.setdefault((placement.level[root], placement.domain(root)), []).append(root)
    return groups


def _steps(placement: Placement, sweeps: Sequence[Sweeps]) -> list[Step]:
    """Level by level: first what needs a library, then one kernel for each domain."""
    library: dict[int, list[Node]] = {}
    for node in placement.order:
        if role_of(node) == "step":
            library.setdefault(placement.level[node], []).append(node)
    kernels: dict[int, dict[Domain, list[Node]]] = {}
    for (level, domain), roots in _groups(placement).items():
        kernels.setdefault(level, {})[domain] = roots
    steps: list[Step] = []
    for level in sorted({*library, *kernels, *(group.level for group in sweeps)}):
        steps += [LibraryStep(node) for node in library.get(level, ())]
        steps += [assemble(placement, *kernel) for kernel in _merged(kernels.get(level, {})).items()]
        steps += [assemble_sweeps(group) for group in sweeps if group.level == level]
    return steps


def _merged(found: dict[Domain, list[Node]]) -> dict[Domain, list[Node]]:
    """The kernels of a level: roots without a filter join a kernel with a filter over the same rows."""
    hosts = {domain._replace(mask=None): domain for domain in reversed(found) if domain.mask is not None}
    merged = dict(found)
    for domain in found:
        if domain.mask is None and domain in hosts:
            host = hosts[domain]
            merged[host] = merged.pop(domain) + merged[host]
    return merged
