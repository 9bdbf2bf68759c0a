"""From a pipeline's graph to the two programs that a module holds: for any number of rows, and for one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fuse import engine
from fuse.errors import ExportError
from fuse.export.batch import Check
from fuse.export.interface import Pipeline
from fuse.export.library_ops import line_of
from fuse.export.lower import lower
from fuse.export.program import NoProgram, Program
from fuse.ir.node import Graph, located
from fuse.ir.types import STRING, Symbol
from fuse.plan.forest_layout import Strategy
from fuse.plan.planner import make_plan
from fuse.plan.row_program import NoRow, RowProgram
from fuse.plan.rows import row_program
from fuse.plan.steps import Plan


@dataclass(frozen=True, eq=False)
class Programs:
    """batch: for any number of rows; row: for one, None where a row has none of its own; checks: of outputs,
    which stand at the same places in both.
    """

    batch: Program
    row: RowProgram | None
    checks: tuple[Check, ...]


def programs(pipeline: Pipeline, vector_bytes: int = 0) -> Programs:
    """The programs of a pipeline. ExportError, with the user's lines, when it has none."""
    checks = tuple(
        Check(condition.output, np.asarray(condition.expected).tobytes()) for condition in pipeline.conditions
    )
    try:
        with located(None):
            graph = engine.compile(pipeline.outputs, pipeline.inputs).optimized
            batch = lower(_plan(graph, pipeline, is_small=vector_bytes > 0), vector_bytes)
    except NoProgram as reason:
        raise ExportError(_explained(reason)) from reason
    return Programs(batch, _row(pipeline, is_small=vector_bytes > 0), checks)


def _explained(reason: NoProgram) -> str:
    line = "" if reason.node is None else line_of(reason.node)
    where = f"{line}: " if line else ""
    return (
        f"this step has no code outside of Python:\n  {where}{reason.reason}\n"
        "Compute it before the pipeline and pass the result as a column, or write it with operations that "
        "compile (docs/export.md lists them)."
    )


def _plan(graph: Graph, pipeline: Pipeline, *, is_small: bool) -> Plan:
    """The plan, with small tables of trees where the module should be small."""
    if is_small:
        try:
            return make_plan(graph, pipeline.inputs, forest="packed")
        except OverflowError:  # a forest with too many slots
            pass
    return make_plan(graph, pipeline.inputs)


def _row(pipeline: Pipeline, *, is_small: bool) -> RowProgram | None:
    """None for inputs that have no rows, for text, and for what only batches compute."""
    if not pipeline.is_by_row:
        return None
    shapes = [node.shape for node in pipeline.inputs]
    if any(not shape or not isinstance(shape[0], Symbol) or len(shape) > 2 for shape in shapes):
        return None
    if any(node.dtype == STRING for node in pipeline.inputs):
        return None
    count = len(pipeline.results)
    forest: Strategy = "packed_row" if is_small else "row"
    try:
        with located(None):
            found = row_program(pipeline.outputs[:count], pipeline.inputs, pipeline.outputs[count:], forest)
    except (NoRow, OverflowError):
        return None
    is_flat = all(sum(length != 1 for length in place.shape) <= 1 for place in found.outputs)
    return found if is_flat else None
