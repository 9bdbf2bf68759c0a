"""A pipeline and its programs described in words of JSON: what a wrapper needs to call the module.

columns   [{name, dtype, categories?, used}, …] in the order of the schema
inputs    [{column, piece, dtype, shape}, …] of the graph; a length that is not known is null
symbols   [[input, axis], …] where each length that the module wants is found
outputs   [{dtype, shape, at}, …] the results; `at` is the word of the block of a batch where one begins
words     of that block; lengths, inputs and results stand in it one behind the other
checks    what each condition says, by its number
byRow     whether a single row has a result
row       {fields, outputs, bytes, dtypes}, null when one row has no function of its own
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fuse.export.batch import result_words
from fuse.export.compile import Programs
from fuse.export.interface import Pipeline
from fuse.export.one_row import result_offsets
from fuse.export.program import Value
from fuse.ir.types import STRING, dtype_name


def describe(pipeline: Pipeline, programs: Programs) -> dict[str, Any]:
    """The description; see above."""
    batch = programs.batch
    before = len(batch.symbols) + 2 * len(batch.inputs)
    places = result_words(batch, programs.checks)
    results = _results(programs)
    return {
        "name": pipeline.name,
        "kind": pipeline.kind,
        "columns": [_column(column) for column in pipeline.columns],
        "inputs": [
            {"column": column, "piece": piece, "dtype": _dtype(value), "shape": _shape(programs, value)}
            for value, (column, piece) in zip(batch.inputs, pipeline.sources, strict=True)
        ],
        "symbols": [_place_of(programs, prime) for prime in batch.symbols],
        "outputs": [
            {"dtype": _dtype(value), "shape": _shape(programs, value), "at": before + at}
            for value, at in zip(results, places, strict=False)
        ],
        "words": before + places[-1],
        "checks": [condition.text for condition in pipeline.conditions],
        "form": dict(pipeline.form),
        "byRow": pipeline.is_by_row,
        "row": _row(pipeline, programs),
    }


def _column(column: Any) -> dict[str, Any]:
    found = {"name": column.name, "dtype": column.dtype, "used": column.used}
    return found if column.categories is None else found | {"categories": list(column.categories)}


def _dtype(value: Any) -> str:
    return "str" if value.dtype == STRING else dtype_name(value.dtype)


def _shape(programs: Programs, value: Value) -> list[int | None]:
    lengths = programs.batch.lengths
    return [length if lengths.is_known(length) else None for length in value.shape]


def _results(programs: Programs) -> list[Value]:
    checked = {check.output for check in programs.checks}
    return [value for number, value in enumerate(programs.batch.outputs) if number not in checked]


def _place_of(programs: Programs, prime: int) -> list[int]:
    """The first input and its axis that have this length."""
    return next(
        [number, axis]
        for number, value in enumerate(programs.batch.inputs)
        for axis, length in enumerate(value.shape)
        if length == prime
    )


def _row(pipeline: Pipeline, programs: Programs) -> Mapping[str, Any] | None:
    program = programs.row
    if program is None:
        return None
    fields = []
    for place, (column, piece) in zip(program.inputs, pipeline.sources, strict=True):
        for element in range(place.size):
            at = (place.offset + element * place.itemsize) // place.itemsize
            owner = element if pipeline.kind == "matrix" else column
            fields.append({"column": owner, "piece": piece, "dtype": _dtype(place), "at": at})
    checked = {check.output for check in programs.checks}
    outputs = [place for number, place in enumerate(program.outputs) if number not in checked]
    return {
        "fields": fields,
        "dtypes": sorted({field["dtype"] for field in fields}),
        "bytes": max(program.input_bytes, 8),
        "outputs": [
            {"dtype": _dtype(place), "at": at, "size": place.size}
            for place, at in zip(outputs, result_offsets(program, programs.checks), strict=False)
        ],
    }
