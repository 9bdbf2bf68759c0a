"""An expression over places: what an operation that repeats has in common with itself."""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from fuse.integrations.capture import watching
from fuse.integrations.capture.watching import Moment
from fuse.ir.node import Node, walk
from fuse.ir.rewrite import substitute
from fuse.plan.cost import RECOMPUTE_LIMIT, operation_cost


class Call(NamedTuple):
    """A call of a pattern that NumPy may warn about."""

    name: str
    result: Node
    operands: tuple[Node, ...]

    def over(self, nodes: Mapping[Node, Node]) -> Call:
        """The same call with other nodes in the places."""
        result, *operands = substitute([self.result, *self.operands], nodes)
        return Call(self.name, result, tuple(operands))


class Noted:
    """When a call was made and what `np.errstate` asked for then; the node that is watched for it."""

    __slots__ = ("modes", "moment", "watched")

    def __init__(self, modes: tuple[str, ...] | None, moment: Moment | None) -> None:
        self.modes, self.moment = modes, moment
        self.watched: weakref.ref[Node] | None = None

    def watch(self, call: Call) -> None:
        """Have the call looked at, if it is not by now."""
        watched = self.watched() if self.watched is not None else None
        if self.modes is not None and self.moment is not None and watched is not call.result:
            self.watched = weakref.ref(call.result)
            watching.watch(call.name, [call.result], call.operands, self.modes, moment=self.moment)


@dataclass(eq=False)
class Pattern:
    """`node` is an expression over the inputs `places`; `calls` are those that made it, in their order.

    results: by ufunc and other operand the pattern of what it gives; writes: by target what writes it there.
    """

    node: Node
    places: tuple[Node, ...]
    calls: tuple[Call, ...] = ()
    results: dict[Any, Pattern] = field(default_factory=dict)
    writes: dict[Any, Any] = field(default_factory=dict)

    def over(self, nodes: Sequence[Node], trail: Sequence[Noted]) -> Node:
        """The expression with these nodes in the places; its calls, noted like this, are watched."""
        filled = dict(zip(self.places, nodes, strict=True))
        (expression,) = substitute([self.node], filled)
        for call, noted in zip(self.calls, trail, strict=True):
            if noted.modes is not None:
                noted.watch(call.over(filled))
        return expression

    @cached_property
    def size(self) -> int:
        """Elements; patterns are of known shapes."""
        return math.prod(self.node.shape)

    @cached_property
    def is_dear(self) -> bool:
        """Whether computing it again costs more than keeping it."""
        return sum(operation_cost(node) for node in walk([self.node])) > RECOMPUTE_LIMIT
