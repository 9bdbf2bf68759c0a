"""What a pass tells `explain`: one-line notes, collected by the driver while the pass runs.

Passes stay functions from graph to graph; the note goes to whoever collects, and nowhere when nobody does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_collector: ContextVar[list[str] | None] = ContextVar("fuse_optimize_notes", default=None)


def note(text: str) -> None:
    """Leave a line such as "scaler folded into 30 weights"; the same line twice counts once."""
    found = _collector.get()
    if found is not None and text not in found:
        found.append(text)


@contextmanager
def collecting() -> Iterator[list[str]]:
    """The lines noted inside the block."""
    lines: list[str] = []
    token = _collector.set(lines)
    try:
        yield lines
    finally:
        _collector.reset(token)
