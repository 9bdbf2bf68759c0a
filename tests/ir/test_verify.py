"""The verifier names the pass and shows the graph."""

import numpy as np
import pytest

from fuse.errors import VerifyError
from fuse.ir import build
from fuse.ir.node import Graph, Node
from fuse.ir.types import Symbol, Type
from fuse.ir.verify import verify
from tests.fuzz.graphs import random_program

F8 = np.dtype(np.float64)


def forged(op: str, inputs: tuple[Node, ...], type_: Type, **attrs: object) -> Node:
    """A node that did not come from `make`."""
    node = object.__new__(Node)
    fields = {
        "op": op,
        "inputs": inputs,
        "attrs": attrs,
        "type": type_,
        "location": None,
        "id": -1,
        "masks": (),
    }
    for name, value in fields.items():
        object.__setattr__(node, name, value)
    return node


def test_random_graphs_are_valid() -> None:
    for seed in range(40):
        graph = random_program(seed).graph
        verify(graph, "the fuzzer", like=graph)


def test_a_node_that_is_not_interned() -> None:
    x = build.new_input(F8, (3,))
    twin = forged("exp", (x,), x.type)
    build.elementwise("exp", x)
    with pytest.raises(VerifyError, match=r"after my_pass: .* is not interned, in\n%0 = input"):
        verify(Graph((twin,)), "my_pass")


def test_an_op_that_does_not_exist() -> None:
    x = build.new_input(F8, (3,))
    node = forged("frobnicate", (x,), x.type)
    with pytest.raises(VerifyError, match=r"after my_pass: unknown op 'frobnicate'"):
        verify(Graph((node,)), "my_pass")


def test_outputs_keep_their_number_dtype_and_rank() -> None:
    x = build.new_input(F8, (Symbol("n"),))
    before = Graph((x,))
    for outputs in ((x, x), (build.convert(x, np.float32),), (build.reduce("sum", x),)):
        with pytest.raises(VerifyError, match="after my_pass: the outputs were"):
            verify(Graph(outputs), "my_pass", like=before)
