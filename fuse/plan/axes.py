"""In which order a loop walks the axes of its domain: some outer axes, and one inner axis, a vector loop.

Neighbouring axes that every array walks in one stride become one. A short last axis, such as the channels of
a picture, makes a poor vector loop, so the longest axis is taken instead. A reduction's inner axis is what it
folds, except when it folds an axis in front of long rows: then the rows are the inner axis, and the folded
one the last of the outer ones, taken step by step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

SHORT = 32
"""An inner axis below this length is exchanged for a longer one."""

Group = tuple[int, ...]


class Strided(Protocol):
    """An array as far as a walk sees it: the bytes between neighbours along each axis, and of an element."""

    @property
    def strides(self) -> tuple[int, ...]: ...

    @property
    def itemsize(self) -> int: ...


@dataclass(frozen=True)
class Walk:
    """Groups of axes: outer ones, slowest first, and the inner one; with the shape that they come from."""

    shape: tuple[int, ...]
    outer: tuple[Group, ...]
    inner: Group

    @property
    def lengths(self) -> tuple[int, ...]:
        """How long the outer axes are."""
        return tuple(math.prod(self.shape[axis] for axis in group) for group in self.outer)

    @property
    def length(self) -> int:
        """How long the inner axis is."""
        return math.prod(self.shape[axis] for axis in self.inner)

    def strides(self, array: Strided) -> tuple[int, ...]:
        """The bytes between neighbours of an array along each axis, the inner one last."""
        strides = array.strides
        return tuple([strides[group[-1]] if group else 0 for group in (*self.outer, self.inner)])


def arrange(shape: tuple[int, ...], arrays: Sequence[Strided], reduced: Sequence[int]) -> Walk | None:
    """How to walk arrays of one shape, folding the `reduced` axes (none: all or nothing is folded).

    None when the reduced axes of some array do not make one axis.
    """
    strides = [array.strides for array in arrays]
    kept = [axis for axis in range(len(shape)) if axis not in reduced and shape[axis] != 1]
    groups = _collapsed(kept, shape, strides)
    if reduced:
        folded = _collapsed([axis for axis in reduced if shape[axis] != 1], shape, strides)
        return Walk(shape, tuple(groups), folded[0] if folded else ()) if len(folded) <= 1 else None
    if not groups:
        return Walk(shape, (), ())
    inner = max(groups, key=lambda group: _fitness(group, shape, arrays, group is groups[-1]))
    return Walk(shape, tuple(group for group in groups if group is not inner), inner)


def arrange_steps(shape: tuple[int, ...], arrays: Sequence[Strided], steps: Sequence[int]) -> Walk | None:
    """How to walk arrays of one shape along the axes `steps`, the last of the outer axes, with the last of
    the others as the inner one.

    None when these axes do not make one axis of each array.
    """
    strides = [array.strides for array in arrays]
    kept = [axis for axis in range(len(shape)) if axis not in steps and shape[axis] != 1]
    before, behind = (
        [axis for axis in kept if (axis > max(steps)) == is_behind] for is_behind in (False, True)
    )
    groups = _collapsed(before, shape, strides) + _collapsed(behind, shape, strides)
    along = _collapsed([axis for axis in steps if shape[axis] != 1], shape, strides)
    if len(along) > 1:
        return None
    inner = groups.pop() if groups else ()
    return Walk(shape, (*groups, along[0] if along else ()), inner)


def _fitness(
    group: Group, shape: tuple[int, ...], arrays: Sequence[Strided], is_last: bool
) -> tuple[bool, int, bool, int]:
    """Long first, then few strided arrays, then the order of memory."""
    length = math.prod(shape[axis] for axis in group)
    strided = sum(array.strides[group[-1]] not in (0, array.itemsize) for array in arrays)
    return length >= SHORT, -strided, is_last, length


def _collapsed(
    axes: Sequence[int], shape: tuple[int, ...], strides: Sequence[tuple[int, ...]]
) -> list[Group]:
    """Axes in groups that every array walks in one stride."""
    groups: list[Group] = []
    for axis in axes:
        if groups and all(s[groups[-1][-1]] == s[axis] * shape[axis] for s in strides):
            groups[-1] = (*groups[-1], axis)
        else:
            groups.append((axis,))
    return groups
