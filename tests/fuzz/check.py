"""What is asked of a program: interpreted, optimized and compiled it gives the same values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fuse import config, engine
from fuse.ir.interpret import interpret
from fuse.ir.node import Graph
from fuse.optimize.driver import optimize
from tests.fuzz.compare import same_bits, within_ulps
from tests.fuzz.program import Program
from tests.fuzz.shrink import shrink

Run = Callable[[Program], Sequence[np.ndarray]]


def optimized(program: Program) -> list[np.ndarray]:
    """The interpreter's values of the optimized graph."""
    with config.config(raise_internal=True):
        graph = optimize(Graph(program.outputs))
    return interpret(graph.outputs, program.bindings(graph))


def compiled(program: Program) -> list[np.ndarray]:
    """The engine's values. The inputs are outputs too: an engine knows no length of what no output needs."""
    with config.config(raise_internal=True, min_rows=0):
        arrays = engine.evaluate((*program.outputs, *program.inputs), program.bindings())
    return arrays[: len(program.outputs)]


RUNS: dict[str, Run] = {"optimized": optimized, "compiled": compiled}


def complaint(program: Program, run: Run) -> str | None:
    """How the values of the run differ from the interpreter's; None when they agree."""
    wanted = program.interpreted()
    try:
        found = run(program)
    except Exception as error:  # noqa: BLE001  # any exception is the finding, and is reported with the program
        return f"{type(error).__name__}: {error}"
    for output, want, got in zip(program.outputs, wanted, found, strict=True):
        tolerance = program.loose.get(output)
        agree = within_ulps(got, want, *tolerance) if tolerance else same_bits(got, want)
        if not agree:
            return f"{output!r}: the interpreter gives\n{want!r}\nand the run\n{got!r}"
    return None


def check(program: Program, run: Run) -> None:
    """Raise AssertionError with the shrunk program when the run disagrees."""
    if complaint(program, run) is None:
        return
    smallest = shrink(program, lambda candidate: _still_fails(candidate, run))
    raise AssertionError(f"{complaint(smallest, run)}\n{smallest}")


def _still_fails(program: Program, run: Run) -> bool:
    try:
        program.interpreted()
    except Exception:  # noqa: BLE001  # a cut that the interpreter refuses is no smaller program
        return False
    return complaint(program, run) is not None
