"""The files of a pipeline for a target: a package around a WebAssembly module, or a library with a header."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fuse.errors import ExportError
from fuse.export.compile import programs
from fuse.export.description import describe
from fuse.export.interface import Pipeline

WASM = "wasm32"


def export_files(
    pipeline: Pipeline, target: str, cpu: str | None, vectors: Callable[[], Mapping[str, Any]]
) -> dict[str, bytes]:
    """The content of each file, by name. `vectors` computes the test vectors.

    Raises ExportError when steps of the pipeline have no code, or the target is not known.
    """
    if target == WASM:
        return _wasm(pipeline, vectors)
    raise ExportError(f"no target {target!r}; wasm32 is one")


def _wasm(pipeline: Pipeline, vectors: Callable[[], Mapping[str, Any]]) -> dict[str, bytes]:
    from fuse.export.wasm.module import VECTOR_BYTES, compile_module
    from fuse.export.wasm.package import package_files

    found = programs(pipeline, VECTOR_BYTES)
    return package_files(describe(pipeline, found), compile_module(found), vectors())
