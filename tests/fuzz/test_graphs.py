"""A fixed number of random programs in every test run; `python -m tests.fuzz` runs as many as one likes."""

import collections

import pytest

from fuse import config
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.ops import OPS
from fuse.optimize.driver import optimize_traced
from fuse.optimize.pipeline import PIPELINE
from tests.fuzz.check import RUNS, check, complaint
from tests.fuzz.data import DTYPES
from tests.fuzz.graphs import random_program
from tests.fuzz.program import Program
from tests.fuzz.shrink import shrink

pytestmark = pytest.mark.fuzz
BATCH = 25


@pytest.mark.parametrize("start", range(0, 16 * BATCH, BATCH))
def test_optimized_graphs_give_the_same_values(start: int) -> None:
    for seed in range(start, start + BATCH):
        check(random_program(seed), RUNS["optimized"])


@pytest.mark.parametrize("start", range(0, 4 * BATCH, BATCH))
def test_compiled_graphs_give_the_same_values(start: int) -> None:
    for seed in range(start, start + BATCH):
        check(random_program(seed), RUNS["compiled"])


def test_the_fuzzer_reaches_every_op_dtype_and_pass() -> None:
    ops: collections.Counter[str] = collections.Counter()
    dtypes, passes = set(), set()
    for seed in range(16 * BATCH):
        program = random_program(seed)
        for node in program.graph.nodes():
            ops[node.op] += 1
            dtypes.add(node.dtype)
        with config.config(raise_internal=True):
            passes |= {note.name for note in optimize_traced(program.graph)[1]}
    assert set(OPS) <= set(ops), set(OPS) - set(ops)
    assert set(DTYPES) <= dtypes
    assert passes == {entry.name for entry in PIPELINE}


def test_the_same_seed_is_the_same_program() -> None:
    assert str(random_program(3)) == str(random_program(3))


def test_a_wrong_result_is_found_and_shrunk() -> None:
    """A run that takes every addition for a subtraction: what is left is one addition."""

    def wrong(program: Program) -> list:  # type: ignore[type-arg]
        def swap(node: Node, inputs: tuple[Node, ...]) -> Node | None:
            return (
                build.elementwise("subtract", *inputs)
                if node.op == "add" and node.dtype.kind == "f"
                else None
            )

        from fuse.ir.interpret import interpret
        from fuse.ir.node import Graph
        from fuse.ir.rewrite import rebuild

        graph = Graph(tuple(rebuild(program.outputs, swap)))
        return interpret(graph.outputs, program.bindings(graph))

    failing = next(p for p in map(random_program, range(200)) if complaint(p, wrong))
    smallest = shrink(failing, lambda candidate: complaint(candidate, wrong) is not None)
    ops = [node.op for node in smallest.graph.nodes()]
    assert "add" in ops
    assert len(ops) <= 8 < len(list(failing.graph.nodes())), str(smallest)
