"""The shrinker: the smallest program that still fails is the message of the failure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from fuse.ir import build
from fuse.ir.interpret import interpret
from fuse.ir.node import Node, walk
from fuse.ir.rewrite import substitute
from tests.fuzz.program import Program


def shrink(program: Program, fails: Callable[[Program], bool], budget: int = 2000) -> Program:
    """Drop outputs and cut subgraphs off, as long as the program still fails."""
    improved = True
    while improved and budget > 0:
        improved = False
        for smaller in _smaller(program):
            budget -= 1
            if fails(smaller):
                program, improved = smaller, True
                break
    return program


def _smaller(program: Program) -> Iterator[Program]:
    if len(program.outputs) > 1:
        for output in program.outputs:
            yield dataclasses.replace(program, outputs=(output,))
    yield from _shallower(program)
    yield from _without_node(program)


def _shallower(program: Program) -> Iterator[Program]:
    """The operands of an output in its place; not those whose zeros have no promised sign."""
    for output in program.outputs:
        for operand in output.inputs:
            if operand.op not in ("reduce", "dot", "input"):
                tolerance = program.loose.get(output)
                loose = {operand: tolerance} if tolerance else {}
                yield dataclasses.replace(program, outputs=(operand,), loose=loose)


def _without_node(program: Program) -> Iterator[Program]:
    """Each node replaced by one of its operands of the same type, or by an input that holds its value."""
    nodes = [node for node in walk(program.outputs) if node.op != "input"]
    values = dict(zip(nodes, interpret(nodes, program.bindings()), strict=True))
    for node in nodes:
        for operand in node.inputs:
            if operand.type == node.type and operand.op not in ("reduce", "dot"):
                yield _replaced(program, node, operand)
    for node in reversed(nodes):
        if node not in program.outputs and node.inputs:
            source = build.new_input(node.dtype, node.shape)
            slot = source.attrs["slot"]
            yield _replaced(program, node, source, {slot: values[node]})


def _replaced(program: Program, node: Node, other: Node, arrays: dict[int, object] | None = None) -> Program:
    outputs = tuple(substitute(program.outputs, {node: other}))
    renamed = dict(zip(program.outputs, outputs, strict=True))
    loose = {renamed[output]: tolerance for output, tolerance in program.loose.items() if output in renamed}
    return Program(outputs, program.inputs, {**program.arrays, **(arrays or {})}, loose)  # type: ignore[arg-type]
