"""The driver: stops at a fixed point, verifies, contains failures, dumps, honours the settings; depth is no
matter.
"""

import numpy as np
import pytest

from fuse import config
from fuse.errors import InternalError, VerifyError
from fuse.ir import build
from fuse.ir.node import Graph, Node
from fuse.ir.text import from_text, to_text
from fuse.ir.types import Symbol
from fuse.optimize import driver
from fuse.optimize.driver import optimize, optimize_traced
from fuse.optimize.pipeline import PIPELINE, Pass
from fuse.optimize.rules import normalize
from fuse.optimize.simplify import simplify

F8 = np.dtype(np.float64)
TEXT = """
%0 = input slot=0 : float64[n]
%1 = constant 1.0 : float64[]
%2 = multiply %0 %1 : float64[n]
return %2
"""


def graph() -> Graph:
    return from_text(TEXT)


def broken(graph: Graph) -> Graph:
    """A pass that changes a dtype."""
    return Graph(tuple(build.convert(node, np.float32) for node in graph.outputs))


def failing(graph: Graph) -> Graph:
    """A pass that raises."""
    raise ZeroDivisionError("in a pass")


def test_nothing_to_do_is_the_same_graph() -> None:
    before = Graph((build.elementwise("sqrt", build.new_input(F8, (Symbol("n"),))),))
    after, notes = optimize_traced(before)
    assert after is before
    assert notes == []


def test_every_entry_has_a_reason_and_its_own_name() -> None:
    assert all(entry.because for entry in PIPELINE)
    assert len({entry.name for entry in PIPELINE}) == len(PIPELINE)


def test_disabled_passes_do_not_run() -> None:
    assert optimize(graph()).outputs[0].op == "input"
    with config.config(disable="simplify"):
        assert optimize(graph()).outputs[0].op == "multiply"


def test_dump_prints_the_graph_after_each_pass_that_changed_it(capsys: pytest.CaptureFixture[str]) -> None:
    with config.config(dump="optimize"):
        after = optimize(graph())
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("# after simplify (")
    assert to_text(after) in printed.err
    assert printed.err.count("# after") == 1


def test_a_note_says_what_a_pass_did() -> None:
    text = """
    %0 = input slot=0 : float64[n,1]
    %1 = constant 2.0 : float64[]
    %2 = divide %0 %1 : float64[n,1]
    %3 = constant [3.0] : float64[1]
    %4 = dot %2 %3 : float64[n]
    return %4
    """
    notes = {note.name: note for note in optimize_traced(from_text(text))[1]}
    assert notes["fold_scaler_into_linear"].lines == ("scaler folded into 1 weights",)
    assert "scaler folded into 1 weights" in str(notes["fold_scaler_into_linear"])


def test_a_failing_pass_is_left_out_and_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PIPELINE", (Pass(failing, because="test"), Pass(simplify, because="test")))
    with config.config(raise_internal=False):
        after, notes = optimize_traced(graph())
    assert after.outputs[0].op == "input"
    assert any("ZeroDivisionError: in a pass" in line for note in notes for line in note.lines)
    with config.config(raise_internal=True), pytest.raises(ZeroDivisionError):
        optimize(graph())


def test_a_pass_that_changes_a_type_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "PIPELINE", (Pass(broken, because="test"),))
    with (
        config.config(raise_internal=True),
        pytest.raises(VerifyError, match="after broken: the outputs were"),
    ):
        optimize(graph())


def test_rules_that_run_in_circles_are_stopped() -> None:
    def swap(node: Node) -> Node | None:
        return build.elementwise("add", *reversed(node.inputs))

    left, right = build.new_input(F8, ()), build.new_input(F8, ())
    with pytest.raises(InternalError, match="circles"):
        normalize(Graph((build.elementwise("add", left, right),)), {"add": (swap,)})


def test_a_rule_that_changes_a_type_is_named() -> None:
    def narrow(node: Node) -> Node | None:
        return node.inputs[0]

    value = build.convert(build.new_input(F8, ()), np.float32)
    with pytest.raises(VerifyError, match="rule narrow"):
        normalize(Graph((value,)), {"convert": (narrow,)})


def test_ten_thousand_nodes_deep() -> None:
    """No recursion: not in rules that change the bottom, not in rules that push from the top down."""
    value = source = build.new_input(F8, (Symbol("n"),))
    for _ in range(10_000):
        value = build.elementwise("sqrt", value)
    value = build.slice_(build.elementwise("negative", build.elementwise("negative", value)), [(1, 5, None)])
    after = optimize(Graph((value,)))
    nodes = list(after.nodes())
    assert [node.op for node in nodes[:2]] == ["input", "slice"]
    assert nodes[0] is source
    assert len(nodes) == 10_002


def test_inputs_keep_their_types_when_masks_are_rewritten() -> None:
    """The input stands for an evaluated filter, so its length names the mask: both stay what they are."""
    mask = build.new_input(np.dtype(bool), (Symbol("n"),))
    twice = build.elementwise("logical_not", build.elementwise("logical_not", mask))
    evaluated = build.new_input(F8, (build.count_of(twice),))
    filtered = build.compress(build.new_input(F8, (Symbol("n"),)), twice)
    before = Graph((build.elementwise("add", evaluated, filtered),))
    after = optimize(before)
    assert evaluated in after.inputs()
    assert after.outputs[0].type == before.outputs[0].type
