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
    return _library(pipeline, target, cpu, vectors)


def _wasm(pipeline: Pipeline, vectors: Callable[[], Mapping[str, Any]]) -> dict[str, bytes]:
    from fuse.export.wasm.module import VECTOR_BYTES, compile_module
    from fuse.export.wasm.package import package_files

    found = programs(pipeline, VECTOR_BYTES)
    return package_files(describe(pipeline, found), compile_module(found), vectors())


def _library(
    pipeline: Pipeline, triple: str, cpu: str | None, vectors: Callable[[], Mapping[str, Any]]
) -> dict[str, bytes]:
    from fuse.codegen.target import foreign_target
    from fuse.export.native.library import library_files
    from fuse.export.native.module import compile_library

    try:
        target = foreign_target(triple, cpu)
    except ValueError as error:
        raise ExportError(str(error)) from error
    found = programs(pipeline)
    if len(found.batch.symbols) > 1:
        raise ExportError(
            "a library takes tables and arrays of any number of rows; this pipeline takes an array with "
            f"{len(found.batch.symbols)} lengths that are not known"
        )
    return library_files(describe(pipeline, found), compile_library(found, target), vectors(), triple)


def host_has_fma() -> bool:
    """Whether code for this machine has the multiply-add of one rounding."""
    from fuse.codegen.target import target_of

    return target_of("native").fma
