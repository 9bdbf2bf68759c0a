"""Every rule does what its docstring shows, for every dtype, and keeps the bits."""

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fuse.optimize
from fuse.ir.interpret import interpret
from fuse.ir.node import Graph, Node, walk
from fuse.ir.text import to_text
from fuse.optimize.push_slices import RULES as SHAPE_RULES
from fuse.optimize.push_slices import slice_before_map, squeeze_before_map
from fuse.optimize.rules import normalize
from tests.fuzz.compare import same_bits, within_ulps
from tests.optimize.notation import Example, arrays, environments, examples, read

Rule = Callable[..., Any]


def all_rules() -> list[Rule]:
    """The rules of all modules of the package, and those that a pass completes with what it knows of the
    graph.
    """
    names = [module.name for module in pkgutil.iter_modules(fuse.optimize.__path__)]
    modules = [importlib.import_module(f"fuse.optimize.{name}") for name in names]
    rules = [value for module in modules for value in vars(module).values() if hasattr(value, "ops")]
    return [*rules, slice_before_map, squeeze_before_map]


def completed(rule: Rule) -> Rule:
    return rule if hasattr(rule, "ops") else functools.partial(rule, shared=frozenset())


CASES = [
    pytest.param(rule, example, id=f"{rule.__name__}: {example.left}")
    for rule in all_rules()
    for example in examples(rule)
]


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.__name__)
def test_a_rule_shows_what_it_does(rule: Rule) -> None:
    assert examples(rule), f"{rule.__name__} needs a line `before => after` in its docstring"


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_example(rule: Rule, example: Example) -> None:
    tried, fired = 0, 0
    for environment in environments(example.left):
        before = read(example.left, environment)
        if before is None:
            continue
        tried += 1
        after = completed(rule)(before)
        if after is None or after is before:
            continue
        fired += 1
        assert example.right is not None, f"{example.left} must stay for {before.type}"
        # Names that only the right side has are typed by the node itself.
        names = {**next(environments(example.right)), **environment}
        wanted = read(example.right, names)
        assert wanted is not None, f"{example.right} cannot be typed"
        assert spelled(after) is spelled(wanted), (
            f"{before.type}: {example.left} became {to_text(Graph((after,)))}"
        )
        assert_same_values(before, after)
    assert tried, f"{example.left} can be typed for no dtype"
    assert example.right is None or fired, f"{example.left} was never rewritten"


def assert_same_values(before: Node, after: Node) -> None:
    rng = np.random.default_rng(0)
    for _ in range(4):
        bindings = {node: arrays(node, rng) for node in walk([before]) if node.op == "input"}
        (want,), (got,) = interpret([before], bindings), interpret([after], bindings)
        if reorders(before):
            assert within_ulps(got, want, 8.0), f"{want} became {got}"
        else:
            assert same_bits(got, want), f"{bindings}: {want} became {got}"


def spelled(root: Node) -> Node:
    """One spelling of slices and reshapes, so that `x[1:]` of 7 elements is `x[1:7]`."""
    return normalize(Graph((root,)), SHAPE_RULES).outputs[0]


def reorders(root: Node) -> bool:
    """Whether a float reduction or a dot is in it: the order of their sums is the compiler's."""
    return any(node.op in ("reduce", "dot") and node.dtype.kind == "f" for node in walk([root]))
