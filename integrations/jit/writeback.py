"""In-place operations on arguments: after the run, the caller's object gets the new content.

Inside a jitted function an argument is a stand-in, so `a[0] = 1` changes the stand-in only. When its nodes
are not those it was made from, its new content is one more output of the plan, and is put into the caller's
object at the end, when nothing can fail any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fuse.integrations.jit.results import Template

Array = Any


@dataclass(frozen=True)
class WriteBack:
    """The new content of the carried object at `position`."""

    position: int
    template: Template

    def apply(self, arrays: Sequence[Array], carried: Sequence[Any]) -> None:
        """Put the content into the caller's object, as the library's own in-place operation does."""
        target = carried[self.position]
        content = self.template.make(arrays, carried)
        if isinstance(target, np.ndarray):
            np.copyto(target, content, casting="unsafe")
        else:
            _replace_table(target, content)


def _replace_table(target: Any, content: Any) -> None:
    """A frame that only got columns, or other values in some, keeps the others; anything else is exchanged
    whole.
    """
    rows_stay = len(target) == len(content) and target.index.equals(content.index)
    if target.ndim == 2 and rows_stay and list(content.columns)[: target.shape[1]] == list(target.columns):
        for position, label in enumerate(content.columns):
            if position >= target.shape[1] or not _is_same_data(target[label], content[label]):
                target[label] = content[label]
    else:
        target._update_inplace(content.copy())


def _is_same_data(left: Any, right: Any) -> bool:
    """Whether two columns are one array."""
    if left.dtype != right.dtype:
        return False
    if not isinstance(left.dtype, np.dtype):
        return bool(left.equals(right))
    one, other = (column.to_numpy().__array_interface__ for column in (left, right))
    return bool(one["data"] == other["data"] and one["strides"] == other["strides"])


def overlaps(carried: Sequence[Any], writes: Sequence[WriteBack]) -> bool:
    """Whether a write could reach other elements than were recorded: the array shares memory with another
    argument, which should see the write, or it is not in C order, where NumPy's `ravel` and `reshape` copy
    and the recorded ones are views. An array that nobody may write to is left to NumPy, too, for its error.
    """
    for write in writes:
        target = carried[write.position]
        if isinstance(target, np.ndarray):
            if not target.flags.writeable or (target.ndim > 1 and not target.flags.c_contiguous):
                return True
            others = (other for other in carried if isinstance(other, np.ndarray) and other is not target)
            if any(np.may_share_memory(target, other) for other in others):
                return True
    return False


def is_in_c_order(value: Any) -> bool:
    """Whether the elements of an array stand one after the other in memory; True of anything else."""
    return not isinstance(value, np.ndarray) or bool(value.flags.c_contiguous)
