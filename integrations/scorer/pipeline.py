"""A scorer's pipeline as one graph: what was recorded for the example, free of the user's objects.

sources: where the array of each input comes from, (column, piece): the values of a column, the codes of
categories, the bytes of text, or which text is there. checks: outputs of the graph that must have a value,
because the libraries raise, or the function goes another way, when they have not. unchanged: whether what was
recorded (fitted parameters, globals) is still so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fuse.errors import ExportError, SchemaError
from fuse.integrations.scorer.schema import Schema

if TYPE_CHECKING:
    from fuse.engine import Program
    from fuse.integrations.jit.function import JitFunction
    from fuse.ir.node import Node

Array = Any
Source = tuple[int, str]
ARRAYS = frozenset({"matrix", "vector", "tensor"})
"""The kinds of schemas of a single array."""
_ROWS = (13, 17)
"""Rows of a recording: a length that no other axis has stands for any length."""


@dataclass(frozen=True, eq=False)
class Check:
    """Output `output` must be `expected`, or the data are not what the pipeline was recorded for."""

    output: int
    expected: Any
    text: str


@dataclass(frozen=True, eq=False)
class Pipeline:
    """The graph of a scorer, with what stands at its ends."""

    schema: Schema
    inputs: tuple[Node, ...]
    sources: tuple[Source, ...]
    outputs: tuple[Node, ...]
    checks: tuple[Check, ...]
    form: dict[str, Any]
    unchanged: Callable[[], bool] = field(default=lambda: True)

    @cached_property
    def program(self) -> Program:
        """The graph made ready to run on any number of rows."""
        from fuse import engine

        return engine.compile(self.outputs, self.inputs)

    def __call__(self, data: Any) -> Any:
        """The result for data as the schema brings them. SchemaError when a check fails."""
        from fuse.integrations.scorer.forms import made

        data = self.schema.bring(data)
        arrays = self.program.run([self.array(data, *source) for source in self.sources])
        for check in self.checks:
            if arrays[check.output] != check.expected:
                raise SchemaError(f"the data fail a check of the libraries: {check.text}")
        return made(self.form, arrays, getattr(data, "index", None))

    def array(self, data: Any, column: int, piece: str) -> Array:
        """The array of an input, of data as the schema brings them."""
        if self.schema.kind in ARRAYS:
            return data
        series = data if self.schema.kind == "series" else data[self.schema.names[column]]
        return piece_of(series, piece, self.schema.columns[column].name)


def piece_of(series: Any, piece: str, name: Any) -> Array:
    """The array of a column that an input reads."""
    if piece == "values":
        return series.to_numpy()
    if piece == "codes":
        return series.cat.codes.to_numpy()
    from fuse.integrations.pandas_frame.text_column import text_buffers

    text, validity = text_buffers(series.array)
    if piece == "text":
        return text
    import numpy as np

    return np.ones(len(series), bool) if validity is None else validity


def record(function: JitFunction[Any, Any], schema: Schema, example: Any) -> Pipeline:
    """Record a function for data like the example, of any length.

    ExportError lists the lines that stand in the way: steps that run in a library, in-place changes of the
    input, results that no file can hold.
    """
    from fuse.integrations.capture.recording import PresumptionFailed, SharedWrite

    failure: BaseException | None = None
    for rows in _examples(example, schema):
        try:
            return _recorded(function, schema, rows)
        except (ExportError, PresumptionFailed) as error:
            failure = failure or error
        except SharedWrite as reason:
            raise ExportError(str(reason)) from None
    if isinstance(failure, ExportError):
        raise failure
    raise ExportError("the pipeline looks at the data and takes another way than for usual data") from failure


def _examples(example: Any, schema: Schema) -> list[Any]:
    """The example's rows repeated; first with text missing in one row, so that it may be missing in data."""
    import numpy as np

    if schema.kind == "tensor":
        return [example]
    count = next(rows for rows in _ROWS if rows != len(schema.columns) or schema.kind != "matrix")
    if len(example) == 0:
        raise ExportError("the example has no rows")
    places = np.arange(count) % len(example)
    if not hasattr(example, "iloc"):
        return [example[places]]
    plain = example.iloc[places].reset_index(drop=True)
    missing = plain.copy()
    texts = [place for place, column in enumerate(schema.columns) if column.dtype == "str"]
    if not texts:
        return [plain]
    for place in texts:
        if schema.kind == "frame":
            missing.iloc[0, place] = None
        else:
            missing.iloc[0] = None
    return [missing, plain]


def _recorded(function: JitFunction[Any, Any], schema: Schema, rows: Any) -> Pipeline:
    from fuse.integrations.capture.recording import Guard, LibraryStep, SizeGuard, inside
    from fuse.integrations.estimators.border import TakeLabels
    from fuse.integrations.jit.plan import guard_text
    from fuse.integrations.jit.signature import Call
    from fuse.integrations.scorer.forms import Describer
    from fuse.ir import build
    from fuse.ir.rewrite import substitute

    call = Call((rows,), {})
    recorded, signature = function.recorded(call, (rows,), {}, presumes=True)
    trace = recorded.trace
    is_fixed = any(node.shape and isinstance(node.shape[0], int) for node in signature.nodes)
    if is_fixed and schema.kind != "tensor":
        raise ExportError("the function needs to know the number of rows: it holds for the example's alone")
    labelled = {
        event.outputs[0]: (event.inputs[0], event.function.table)
        for event in trace.events
        if isinstance(event, LibraryStep) and isinstance(event.function, TakeLabels)
    }
    _refuse_steps(trace, labelled)
    describer = Describer(labelled)
    with inside(recorded.recording):
        form = describer.describe(recorded.result)
    results = list(describer.outputs)
    guards = [event for event in trace.events if isinstance(event, Guard)]
    if any(isinstance(event, SizeGuard) for event in trace.events):
        raise ExportError("the function looks at the number of rows")
    outputs = [*results, *(guard.node for guard in guards)]
    captured = zip(trace.inputs[len(signature.nodes) :], trace.captured, strict=True)
    outputs = substitute(outputs, {node: build.constant(array) for node, array in captured})
    checks = tuple(
        Check(len(results) + place, _scalar(guard.value), guard_text(guard))
        for place, guard in enumerate(guards)
    )
    found = _pruned(schema, signature.nodes, _sources(schema, rows), tuple(outputs), checks, form)
    return replace(found, unchanged=trace.surroundings.watch())


def _scalar(value: Any) -> Any:
    """The bool or number that Python saw. ExportError for an array."""
    if getattr(value, "shape", ()) != ():
        raise ExportError("the function looks at an array of the data")
    return value.item() if hasattr(value, "item") else value


def _refuse_steps(trace: Any, labelled: Any) -> None:
    """ExportError for what a file cannot hold, with the user's lines."""
    from fuse.integrations.capture.recording import LibraryStep

    reasons = [str(found) for found in trace.fallbacks]
    if trace.tainted:
        reasons.append(trace.tainted)
    if trace.writes:
        reasons.append("the function changes its argument in place")
    steps = [event for event in trace.events if isinstance(event, LibraryStep)]
    if not reasons and len(steps) > len(labelled):
        reasons.append("a step runs in a library")
    if reasons:
        raise ExportError("these steps are calls into a library:\n  " + "\n  ".join(dict.fromkeys(reasons)))


def _sources(schema: Schema, rows: Any) -> list[Source]:
    """For each array of the example in the order in which it is taken apart, where it comes from."""
    if schema.kind in ARRAYS:
        return [(0, "values")]
    from fuse.integrations.pandas_frame.columns import is_value_dtype
    from fuse.integrations.pandas_frame.text_column import is_text, text_buffers

    found: list[Source] = []
    for place in range(len(schema.columns)):
        series = rows if schema.kind == "series" else rows.iloc[:, place]
        if is_value_dtype(series.dtype):
            found.append((place, "values"))
        elif schema.columns[place].dtype == "category":
            found.append((place, "codes"))
        elif is_text(series.dtype):
            has_missing = text_buffers(series.array)[1] is not None
            found += [(place, "object"), (place, "text"), *([(place, "validity")] if has_missing else [])]
        else:
            found.append((place, "object"))
    return found


def _pruned(
    schema: Schema,
    nodes: Sequence[Node],
    sources: Sequence[Source],
    outputs: tuple[Node, ...],
    checks: tuple[Check, ...],
    form: dict[str, Any],
) -> Pipeline:
    """With the inputs that are read, and one that tells the number of rows when none is."""
    from fuse.integrations.capture.lengths import witnesses
    from fuse.ir.node import walk

    read = {node for node in walk(outputs) if node.op == "input"}
    if not read <= set(nodes):
        raise ExportError("the pipeline reads an array that is no part of its argument")
    read |= set(witnesses(outputs, read, nodes))
    pairs = [(node, source) for node, source in zip(nodes, sources, strict=True) if node in read]
    for _, (place, piece) in pairs:
        if piece == "object":
            column = schema.columns[place]
            raise ExportError(f"the column {column.name!r} of {column.dtype} is not compiled")
    used = schema.with_used({place for _, (place, _) in pairs}) if schema.kind == "frame" else schema
    inputs, kept = tuple(node for node, _ in pairs), tuple(source for _, source in pairs)
    return Pipeline(used, inputs, kept, outputs, checks, form)
