"""A program: a graph and the arrays of its inputs, by slot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fuse.ir.interpret import interpret
from fuse.ir.node import Graph, Node
from fuse.ir.text import to_text


@dataclass(frozen=True)
class Program:
    """`inputs` are bound even where no output needs them: a length may be all that is left of one. `loose`
    says, for an output that a transcendental function or a float sum made, how close is close enough.

    Its values are (ulps, floor): a distance of so many ulps of the result or of `floor`, whichever is larger.
    """

    outputs: tuple[Node, ...]
    inputs: tuple[Node, ...]
    arrays: Mapping[int, np.ndarray]
    loose: Mapping[Node, tuple[float, float]]

    @property
    def graph(self) -> Graph:
        return Graph(self.outputs)

    def bindings(self, graph: Graph | None = None) -> dict[Node, np.ndarray]:
        """The array of each input of the graph (the program's own, or what a pass made of it)."""
        return {
            node: self.arrays[node.attrs["slot"]] for node in (*self.inputs, *(graph or self.graph).inputs())
        }

    def interpreted(self) -> list[np.ndarray]:
        return interpret(self.outputs, self.bindings())

    def __str__(self) -> str:
        arrays = [
            f"slot {node.attrs['slot']} = {self.arrays[node.attrs['slot']]!r}" for node in self.graph.inputs()
        ]
        return "\n".join([to_text(self.graph), *arrays])
