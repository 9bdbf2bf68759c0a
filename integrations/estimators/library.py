"""A method of an estimator run by its library, on real objects made from lazy ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fuse.integrations.capture.recording import call_library, current_recording
from fuse.integrations.estimators import border
from fuse.ir.types import Dim, Shape

Array = Any


def step(method: Callable[..., Any], lazy: Any, options: Mapping[str, Any], rows: Dim) -> Any:
    """`method(lazy, **options)` in the library: at once outside of recordings, in them as a step of the plan.

    The result of a step is lazy where the graph can hold it. Anything else (a sparse matrix) is given back as
    it is, and the recording cannot be replayed.
    """
    recording = current_recording()
    if recording is None:
        return method(border.real(lazy), **options)
    nodes, rebuild = border.taken_apart(lazy)
    results: list[Any] = []

    def run(*arrays: Array) -> tuple[Array, ...]:
        result = method(rebuild(arrays), **options)
        results[:] = results or [result]
        return border.arrays_of(result)

    def shaped(shape: tuple[int, ...]) -> Shape:
        """A result has one row for each row of the input, however many those are in another run."""
        return (rows, *shape[1:]) if shape and shape[0] == results[0].shape[0] else shape

    outputs = call_library(run, nodes, shaped)
    result, results[0] = results[0], None
    if border.is_foreign(result):
        recording.taint(f"the library returned a {type(result).__name__}")
        return result
    return border.joined(result, outputs)
