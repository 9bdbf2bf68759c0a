"""How values of a library enter and leave a jitted function: one `Carrier` per library.

A carrier takes a real object apart into arrays (so that a call can be matched against a signature and bound),
makes the lazy stand-in over the nodes of those arrays, and turns a lazy result back into a real object.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

from fuse.ir.node import Node

Array = Any


class Carrier(Protocol):
    """One library's objects at the border of a jitted function."""

    def accepts(self, value: Any) -> bool:
        """Whether this is a real object of the library that can be taken apart."""

    def signature(self, value: Any) -> Hashable:
        """What the plan depends on besides shapes: dtypes, ranks, names, categories, index kind. Fast."""

    def arrays(self, value: Any) -> list[Array]:
        """The arrays of the object, in an order fixed by the signature; no copies where none are needed."""

    def stand_in(self, value: Any, nodes: Sequence[Node]) -> Any:
        """A lazy object like `value` over these input nodes, one per array."""

    def is_lazy(self, value: Any) -> bool:
        """Whether this is one of our lazy objects."""

    def nodes(self, value: Any) -> list[Node]:
        """The nodes whose arrays make up a lazy object."""

    def rebuild(self, value: Any) -> Callable[[Sequence[Array]], Any]:
        """A function from the arrays of `nodes(value)` to the real object; it keeps no data of this run."""
