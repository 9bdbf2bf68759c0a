"""Each pass on its fixture file: the graph after it, or the proof that it left the graph alone."""

import numpy as np
import pytest

from fuse.ir.interpret import interpret
from fuse.ir.node import Graph
from fuse.ir.text import from_text
from fuse.ir.types import Symbol
from fuse.ir.verify import verify
from fuse.optimize.driver import optimize
from fuse.optimize.pipeline import PIPELINE
from tests.fuzz.compare import within_ulps
from tests.fuzz.data import random_array
from tests.optimize.fixtures import FOLDER, Case, cases, named

RUNS = {entry.name: entry.run for entry in PIPELINE} | {"pipeline": optimize}
CASES = [pytest.param(name, case, id=f"{name}: {case.title}") for name in RUNS for case in cases(name)]
LENGTHS = {"n": 6, "h": 5, "w": 4}


def test_every_fixture_file_has_its_pass_and_every_pass_its_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(RUNS)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_fixture(name: str, case: Case) -> None:
    before = case.graph()
    after = RUNS[name](before)
    if case.after is None:
        assert after is before or after.outputs == before.outputs, named(after)
        return
    verify(after, name, like=before)
    assert named(after) == case.after
    assert_same_values(before, after)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_pass_is_done_when_it_is_done(name: str, case: Case) -> None:
    after = RUNS[name](case.graph())
    assert RUNS[name](after).outputs == after.outputs


def assert_same_values(before: Graph, after: Graph) -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        bindings = {}
        for node in before.inputs():
            shape = tuple(LENGTHS[n.name] if isinstance(n, Symbol) else n for n in node.shape)
            ordinary = rng.integers(0, 9, shape).astype(node.dtype)
            # Infinity times a weight of either sign may cancel in another order.
            special = random_array(node.dtype, shape, rng)
            keep = np.isfinite(special) & (np.abs(special.astype(float)) < 1e6) | np.isnan(special)
            bindings[node] = np.where(keep, special, ordinary)
        wanted, found = interpret(before.outputs, bindings), interpret(after.outputs, bindings)
        for want, got in zip(wanted, found, strict=True):
            assert within_ulps(got, want, 64.0, floor=1.0), f"{want} became {got}"


def test_fixtures_read_back() -> None:
    for name in RUNS:
        for case in cases(name):
            graph = case.graph()
            assert named(graph) == case.before
            if "tables" not in case.before:
                assert from_text(named(graph)).outputs == graph.outputs
