"""How loops walk axes: neighbours collapse, a short last axis gives way, reduced axes are the inner one."""

from __future__ import annotations

import numpy as np

from fuse.plan.axes import arrange, arrange_steps


def test_contiguous_axes_are_one() -> None:
    array = np.empty((3, 4, 5))
    walk = arrange(array.shape, [array, array], ())
    assert walk is not None
    assert (walk.outer, walk.inner, walk.length) == ((), (0, 1, 2), 60)


def test_axes_of_length_one_are_not_walked() -> None:
    array = np.empty((3, 1, 5))
    walk = arrange(array.shape, [array, np.empty((5, 1, 3)).T], ())
    assert walk is not None
    assert {*walk.outer, walk.inner} == {(0,), (2,)}


def test_the_long_axes_of_a_picture_are_the_inner_one() -> None:
    picture, channels = np.empty((40, 60, 3)), np.broadcast_to(np.empty(3), (40, 60, 3))
    walk = arrange(picture.shape, [picture, channels], ())
    assert walk is not None
    assert (walk.outer, walk.inner, walk.length) == (((2,),), (0, 1), 2400)
    assert walk.strides(picture) == (8, 24)
    assert walk.strides(channels) == (8, 0)


def test_reduced_axes_are_the_inner_one_or_nothing() -> None:
    array = np.empty((4, 50, 6))
    walk = arrange(array.shape, [array], (1, 2))
    assert walk is not None
    assert (walk.outer, walk.inner) == (((0,),), (1, 2))
    leading = arrange(array.shape, [array], (0, 1))
    assert leading is not None
    assert leading.strides(array) == (8, 48)
    assert arrange(array.shape, [array], (0, 2)) is None


def test_steps_are_the_last_of_the_outer_axes() -> None:
    array = np.empty((4, 50, 6))
    walk = arrange_steps(array.shape, [array], (1,))
    assert walk is not None
    assert (walk.outer, walk.inner) == (((0,), (1,)), (2,))
    together = arrange_steps(array.shape, [array], (0, 1))
    assert together is not None
    assert (together.outer, together.inner) == (((0, 1),), (2,))
    assert arrange_steps(array.shape, [array.transpose(1, 0, 2)[:, ::2]], (0, 1)) is None


def test_what_lies_behind_the_steps_is_not_mixed_with_what_lies_before() -> None:
    repeated = np.broadcast_to(np.empty(()), (4, 50, 6))
    walk = arrange_steps(repeated.shape, [repeated], (1,))
    assert walk is not None
    assert (walk.outer, walk.inner) == (((0,), (1,)), (2,))
    last = arrange_steps((4, 50, 6), [np.empty((4, 50, 6))], (2,))
    assert last is not None
    assert (last.outer, last.inner) == (((2,),), (0, 1))
