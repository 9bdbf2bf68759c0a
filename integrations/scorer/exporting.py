"""`Scorer.export` and the `export` of a jitted function: a pipeline's graph to files for another place.

The export layer knows no table and no estimator. What the recording of a scorer found is told to it in its
own words here, with test vectors that the plain arrays of the example give.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fuse import config
from fuse.errors import ExportError
from fuse.export import interface, vectors
from fuse.export.target import export_files, host_has_fma
from fuse.integrations.scorer.pipeline import Pipeline
from fuse.integrations.scorer.schema import ColumnSchema, Schema

if TYPE_CHECKING:
    from fuse.integrations.jit.function import JitFunction

_VECTORS, _ROWS = 200, 20
"""Rows of the test vectors, and how many of them one by one."""


def export(pipeline: Pipeline, name: str, example: Any, folder: Any, target: str, cpu: str | None) -> None:
    """Write the files of a pipeline into a folder, which is made. ExportError says what stands in the way."""
    told = _told(pipeline, name)
    data = None if example is None else pipeline.schema.bring(_vector_rows(pipeline, example))
    rows = _ROWS if told.is_by_row else 0
    files = export_files(told, target, cpu, lambda: _vectors(pipeline, data, target, cpu, rows))
    place = Path(os.fspath(folder))
    place.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (place / file).write_bytes(content)


def export_function(
    function: JitFunction[Any, Any], example: Any, folder: Any, target: str, cpu: str | None
) -> None:
    """Write the files of a function of one table or array. TypeError without an example of it."""
    from fuse.integrations.jit.function import JitFunction
    from fuse.integrations.scorer.pipeline import record

    schema = _schema_of(example)
    found = record(JitFunction(function.py_func), schema, example)
    export(found, function.py_func.__name__, example, folder, target, cpu)


def _schema_of(example: Any) -> Schema:
    schema = None if example is None else Schema.of(example)
    if schema is None and getattr(example, "ndim", 0) > 2 and hasattr(example, "dtype"):
        schema = Schema("tensor", (ColumnSchema(0, str(example.dtype)),))
    if schema is None:
        raise TypeError("export needs an example of the function's one argument, a table or an array")
    return schema


def _vector_rows(pipeline: Pipeline, example: Any) -> Any:
    """As many rows as test vectors have; an array whose first length is fixed stays whole."""
    shape = pipeline.inputs[0].shape
    if not shape or isinstance(shape[0], int):
        return example
    return _rows(example, 0, _VECTORS)


def _told(pipeline: Pipeline, name: str) -> interface.Pipeline:
    """The pipeline in the words of the export layer."""
    pipeline.schema.described()  # raises for names and categories that are no text, number or bool
    return interface.Pipeline(
        name=re.sub(r"\W+", "_", name).strip("_") or "pipeline",
        kind=pipeline.schema.kind,
        columns=tuple(
            interface.Column(column.name, column.dtype, column.categories, column.used)
            for column in pipeline.schema
        ),
        inputs=pipeline.inputs,
        sources=pipeline.sources,  # type: ignore[arg-type]  # pieces are words of both layers
        outputs=pipeline.outputs,
        conditions=tuple(
            interface.Condition(check.output, check.expected, check.text) for check in pipeline.checks
        ),
        form=pipeline.form,
    )


# Test vectors


def _vectors(pipeline: Pipeline, data: Any, target: str, cpu: str | None, count: int) -> dict[str, Any]:
    """What the pipeline gives here, with the rounding of the target: WebAssembly has no fused
    multiply-add, so the code that runs for the vectors has none either.
    """
    if data is None:
        return {"cases": []}
    level = _same_rounding(target, cpu)
    settings: dict[str, Any] = {} if level is None else {"target": level}
    with config.config(**settings):
        return {"cases": [_case(pipeline, data, count, 0.0 if settings else 1e-12)]}


def _same_rounding(target: str, cpu: str | None) -> str | None:
    """The target of this process whose code gives the bits of another one, None when there is none."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return None
    if target == "wasm32" or cpu == "x86-64":
        return "x86-64"
    return "native" if target.startswith("x86_64") and host_has_fma() else None


def _case(pipeline: Pipeline, data: Any, count: int, tolerance: float) -> dict[str, Any]:
    rows = [_rows(data, row, row + 1) for row in range(min(len(data), count))]
    return {
        "data": _encoded(pipeline, data, lambda values: values),
        "result": vectors.result(pipeline.form, _checked(pipeline, _arrays(pipeline, data))),
        "rows": [_encoded(pipeline, row, lambda values: values[0]) for row in rows],
        "one": [_one(pipeline, row) for row in rows],
        "tolerance": max(tolerance, _tolerance(pipeline)),
    }


def _rows(data: Any, start: int, stop: int) -> Any:
    return data.iloc[start:stop] if hasattr(data, "iloc") else data[start:stop]


def _arrays(pipeline: Pipeline, data: Any) -> Sequence[Any]:
    """The arrays of the outputs."""
    return pipeline.program.run([pipeline.array(data, *source) for source in pipeline.sources])


def _checked(pipeline: Pipeline, arrays: Sequence[Any]) -> Sequence[Any]:
    """ExportError when the example fails a check."""
    for check in pipeline.checks:
        if arrays[check.output] != check.expected:
            raise ExportError(f"the example fails a check of the libraries: {check.text}")
    return arrays


def _one(pipeline: Pipeline, row: Any) -> Any:
    arrays = _arrays(pipeline, row)
    checked = {check.output for check in pipeline.checks}
    results = [array for number, array in enumerate(arrays) if number not in checked]
    if any(array.shape[:1] == (0,) for array in results):
        return None
    return vectors.one(pipeline.form, _checked(pipeline, arrays))


def _tolerance(pipeline: Pipeline) -> float:
    """How far results may lie apart: products run in BLAS here, and functions of single numbers in NumPy."""
    steps = pipeline.program.plan.steps
    loose = {node.op for step in steps if (node := getattr(step, "node", None)) is not None}
    return 1e-12 if loose & _LOOSE else 0.0


_LOOSE = frozenset({
    "dot", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "power", "sin", "cos", "tan", "arcsin",
    "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "cbrt", "hypot",
    "erf", "erfc", "gamma", "lgamma",
})  # fmt: skip


def _encoded(pipeline: Pipeline, data: Any, take: Callable[[Any], Any]) -> Any:
    """The data as a user of the package writes them."""
    schema = pipeline.schema
    if schema.kind == "tensor":
        return vectors.encoded(take(data))
    if schema.kind == "matrix":
        values = take(data)
        return vectors.encoded(values) if values.ndim == 2 else [vectors.encoded(value) for value in values]
    if schema.kind != "frame":
        return _values(take(_plain(data, schema.columns[0].dtype)))
    return {
        str(column.name): _values(take(_plain(data[column.name], column.dtype)))
        for column in schema
        if column.used
    }


def _plain(values: Any, dtype: str) -> Any:
    if dtype in ("category", "str"):
        return [None if value != value else value for value in values.astype(object)]
    return np.asarray(values)


def _values(values: Any) -> Any:
    return vectors.encoded(values) if isinstance(values, np.ndarray | np.generic) else values
