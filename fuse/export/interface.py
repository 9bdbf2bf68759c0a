"""What an exported pipeline takes and gives, in words that a wrapper in any language is made from.

The graph of it is `Pipeline`; where the values of its inputs come from is told by columns, and what becomes
of its outputs by the form of the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fuse.ir.node import Node
from fuse.ir.types import Count, Symbol

Kind = Literal["frame", "series", "matrix", "vector", "tensor"]
Piece = Literal["values", "codes", "text", "validity"]


@dataclass(frozen=True)
class Column:
    """One column that a user gives. dtype: as NumPy writes it, "category" or "str"; categories: of a
    categorical column; used: whether the pipeline reads it.
    """

    name: Any
    dtype: str
    categories: tuple[Any, ...] | None = None
    used: bool = True


@dataclass(frozen=True)
class Condition:
    """Output `output` of the graph must be `expected`; `text` says what it checks."""

    output: int
    expected: Any
    text: str


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A graph with its ends.

    name: of the pipeline; kind: of what it takes: a table of columns, one column, a matrix whose columns they
    are, a vector, or an array of more axes; sources: for each input of the graph the place of its column and
    which piece of it; conditions stand behind the results in `outputs`; form: of the result, as
    integrations/scorer/forms.py writes it.
    """

    name: str
    kind: Kind
    columns: tuple[Column, ...]
    inputs: tuple[Node, ...]
    sources: tuple[tuple[int, Piece], ...]
    outputs: tuple[Node, ...]
    conditions: tuple[Condition, ...]
    form: Mapping[str, Any]

    @property
    def results(self) -> Sequence[Node]:
        """The outputs that are no conditions."""
        checked = {condition.output for condition in self.conditions}
        return [node for number, node in enumerate(self.outputs) if number not in checked]

    @property
    def is_by_row(self) -> bool:
        """Whether every result has a row for each row of the input, or of those that a filter keeps, or is a
        single number: then a single row has a result.
        """
        lengths = {node.shape[0] for node in self.inputs if node.shape and isinstance(node.shape[0], Symbol)}
        return all(
            not node.shape
            or (node.type.rank <= 2 and (node.shape[0] in lengths or isinstance(node.shape[0], Count)))
            for node in self.results
        )
