"""The state of the compiler's own source: what is kept on disk is used only by the version that made it.

A file is told by its size and the time of its last change, as Python tells the sources of its byte code.
"""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

_PARTS = ("codegen", "config.py", "execution", "ir", "optimize", "plan", "runtime")
"""All of fuse that plans and machine code depend on."""
_PACKAGE = Path(__file__).parents[1]
_LOADED = time.time_ns()


def key(*content: str) -> str:
    """The name in the cache of what these sources make of this content."""
    return hashlib.sha256("\n".join((state(), *content)).encode()).hexdigest()


@functools.cache
def state() -> str:
    """A text equal for equal sources; one of this process alone when they are newer than what it loaded."""
    rows = sorted(row for part in _PARTS for row in _files(_PACKAGE / part))
    is_loaded = max(changed for _, _, changed in rows) <= _LOADED
    return str(rows) if is_loaded else f"process {os.getpid()} of {_LOADED}"


def _files(path: Path) -> Iterator[tuple[str, int, int]]:
    """(path, bytes, nanoseconds of the last change) of a source, or of all sources below a folder."""
    if path.is_file():
        status = path.stat()
        yield str(path), status.st_size, status.st_mtime_ns
        return
    with os.scandir(path) as found:
        for item in found:
            if item.name.endswith(".py"):
                status = item.stat()
                yield item.path, status.st_size, status.st_mtime_ns
            elif item.is_dir() and item.name != "__pycache__":
                yield from _files(Path(item.path))
