"""Rebuilding: what is above a replaced node follows, lengths that count a mask too, the rest is shared."""

import numpy as np

from fuse.ir import build
from fuse.ir.interpret import interpret
from fuse.ir.node import Node
from fuse.ir.rewrite import rebuild, substitute
from fuse.ir.types import Count, Symbol, element_count

F8 = np.dtype(np.float64)
N = Symbol("n")


def test_unchanged_parts_are_shared() -> None:
    x, y = build.new_input(F8, (N,)), build.new_input(F8, (N,))
    left, right = build.elementwise("exp", x), build.elementwise("sin", y)
    both = build.elementwise("add", left, right)
    (after,) = substitute([both], {x: build.new_input(F8, (N,))})
    assert after is not both
    assert after.inputs[1] is right
    assert substitute([both], {})[0] is both


def test_lengths_follow_a_replaced_mask() -> None:
    x, mask, other = (
        build.new_input(F8, (N,)),
        build.new_input(np.dtype(bool), (N,)),
        build.new_input(np.dtype(bool), (N,)),
    )
    kept = build.compress(x, mask)
    ones = build.broadcast(build.constant(1.0), (Count(mask),))
    pairs = build.stack([build.elementwise("add", kept, ones), kept], 1)
    flat = build.reshape(pairs, (element_count(pairs.shape),))
    (after,) = substitute([flat], {mask: other})
    data = np.arange(4.0)
    bindings = {x: data, other: np.array([True, False, True, True])}
    np.testing.assert_array_equal(interpret([after], bindings)[0], [1, 0, 3, 2, 4, 3])


def test_a_constant_mask_folds_the_lengths_that_count_it() -> None:
    x, mask = build.new_input(F8, (3,)), build.new_input(np.dtype(bool), (3,))
    kept = build.compress(x, mask)
    total = build.elementwise("add", kept, build.broadcast(build.constant(1.0), kept.shape))
    (after,) = substitute([total], {mask: build.constant([True, False, True])})
    assert after.shape == (2,)


def test_recounted_lengths_leave_the_mask_itself_alone() -> None:
    x, mask, other = (
        build.new_input(F8, (N,)),
        build.new_input(np.dtype(bool), (N,)),
        build.new_input(np.dtype(bool), (N,)),
    )
    ones = build.broadcast(build.constant(1.0), (Count(mask),))
    negated = build.elementwise("logical_not", mask)
    filtered = {build.compress(x, mask): build.compress(x, other)}
    keep = lambda node, inputs: None  # noqa: E731  # no rule
    after = rebuild([*filtered, ones, negated], keep, filtered, {mask: other})
    assert after[0].shape == after[1].shape == (Count(other),)
    assert after[2] is negated


def test_rules_see_new_inputs_bottom_up() -> None:
    x = build.new_input(F8, (N,))
    seen: list[str] = []

    def double_negation(node: Node, inputs: tuple[Node, ...]) -> Node | None:
        seen.append(node.op)
        if node.op == "negative" and inputs[0].op == "negative":
            return inputs[0].inputs[0]
        return None

    value = x
    for _ in range(4):
        value = build.elementwise("negative", value)
    assert rebuild([build.elementwise("exp", value)], double_negation)[0] is build.elementwise("exp", x)
    assert seen == ["input", *["negative"] * 4, "exp"]
