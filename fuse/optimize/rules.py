"""Rewrite rules, and the engine that brings a graph to their normal form.

A rule looks at one node whose inputs are already in normal form and gives a better node or None. Its
docstring is its test (tests/optimize/notation.py says how it is read). The engine works bottom up with an
explicit stack, so depth costs no recursion, and it normalises what a rule made before it goes on, so that
rules which push an op down a long chain take one step a node instead of one sweep of the graph a node.

Left out: rules that need to see the users of a node. Those are passes of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from fuse.errors import InternalError, VerifyError
from fuse.ir.node import Graph, Node, dependencies, walk
from fuse.ir.rewrite import rebuild, with_inputs

Rule = Callable[[Node], Node | None]
Rules = Mapping[str, tuple[Rule, ...]]

# A rule set that rewrites in circles is a bug; this many rewrites a node is far above any honest chain.
_FUEL_PER_NODE = 400


def rule(*ops: str) -> Callable[[Rule], Rule]:
    """Mark a function as a rule for nodes of these ops."""

    def mark(function: Rule) -> Rule:
        function.ops = ops  # type: ignore[attr-defined]  # a plain attribute, read by `rules_of`
        return function

    return mark


def rules_of(namespace: Mapping[str, object]) -> Rules:
    """The rules of a module by op, in the order they stand in the file: `RULES = rules_of(globals())`."""
    table: dict[str, list[Rule]] = {}
    for function in namespace.values():
        if callable(function):
            for op in getattr(function, "ops", ()):
                table.setdefault(op, []).append(function)
    return {op: tuple(functions) for op, functions in table.items()}


def _nothing(node: Node, by: Node) -> None:
    """Nobody asks."""


def normalize(graph: Graph, rules: Rules, replaced: Callable[[Node, Node], None] = _nothing) -> Graph:
    """The graph with every rule applied until none fires; the graph itself when none fires anywhere.

    replaced: told of each node whose place another takes.
    """
    fixed = pinned(graph)
    if not any(_rewrite(node, rules) for node in graph.nodes() if node.op in rules and node not in fixed):
        return graph
    normal = {node.id: node for node in fixed}
    _reach_normal_forms(graph, rules, normal, replaced)
    return Graph(tuple(normal[node.id] for node in graph.outputs))


def rewrite_once(graph: Graph, candidate: Rule) -> Graph:
    """The graph with a rule tried once on each node that it is for: one that is dear, and done at once."""
    ops: tuple[str, ...] = candidate.ops  # type: ignore[attr-defined]  # set by `rule`

    def rewrite(node: Node, inputs: tuple[Node, ...]) -> Node | None:
        if node.op not in ops:
            return None
        current = with_inputs(node, inputs, {})
        return _rewrite(current, {node.op: (candidate,)}) or current

    outputs = tuple(rebuild(graph.outputs, rewrite, {node: node for node in pinned(graph)}))
    return graph if outputs == graph.outputs else Graph(outputs)


def pinned(graph: Graph) -> frozenset[Node]:
    """What no pass may rewrite: the masks that the types of inputs count, and all they are made of.

    An input is what the caller bound; giving it another type would make it another input.
    """
    counted = [mask for node in graph.nodes() if node.masks and node.op == "input" for mask in node.masks]
    return frozenset(walk(counted)) if counted else frozenset()


def _rewrite(node: Node, rules: Rules) -> Node | None:
    for candidate in rules.get(node.op, ()):
        result = candidate(node)
        if result is None or result is node:
            continue
        if result.type != node.type:
            name = getattr(candidate, "__name__", str(candidate))
            raise VerifyError(f"rule {name} turned {node!r} into {result!r}: the types differ")
        return result
    return None


def _reach_normal_forms(
    graph: Graph, rules: Rules, normal: dict[int, Node], replaced: Callable[[Node, Node], None]
) -> None:
    """Fill `normal` (node id to normal form) for all that the outputs need.

    The stack holds pairs: (node, None) asks for the normal form of a node, (node, other) says that the normal
    form of `node` is that of `other`, which has been asked for just above it.
    """
    stack: list[tuple[Node, Node | None]] = [(node, None) for node in reversed(graph.outputs)]
    fuel = _FUEL_PER_NODE * (sum(1 for _ in graph.nodes()) + 100)
    while stack:
        node, other = stack.pop()
        if other is not None:
            normal[node.id] = normal[other.id]
        elif node.id not in normal:
            fuel -= 1
            _step(node, rules, normal, stack, replaced)
        if fuel < 0:
            raise InternalError(f"the rules for {', '.join(sorted(rules))} rewrite in circles near {node!r}")


def _step(
    node: Node,
    rules: Rules,
    normal: dict[int, Node],
    stack: list[tuple[Node, Node | None]],
    replaced: Callable[[Node, Node], None],
) -> None:
    missing = [source for source in dependencies(node) if source.id not in normal]
    if missing:
        stack.append((node, None))
        stack.extend((source, None) for source in reversed(missing))
        return
    current = with_inputs(node, tuple([normal[source.id] for source in node.inputs]), normal)
    replaced(node, current)
    if current is not node and current.id in normal:
        normal[node.id] = normal[current.id]
        return
    result = _rewrite(current, rules)
    if result is None:
        normal[node.id] = normal[current.id] = current
        return
    replaced(current, result)
    if current is not node:
        stack.append((node, result))
    stack.append((current, result))
    stack.append((result, None))


def use_counts(nodes: Iterable[Node]) -> dict[int, int]:
    """How many users each node id has among the nodes."""
    counts: dict[int, int] = {}
    for node in nodes:
        for source in node.inputs:
            counts[source.id] = counts.get(source.id, 0) + 1
    return counts
