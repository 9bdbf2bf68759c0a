"""Fewer garbage collections while a graph is made.

Recording, optimizing and generating code make tens of thousands of small objects that live until the kernel
stands. Python's collector looks at the youngest after every 700 of them and now and then at all objects of
the process, and finds nothing: a third of the time of a first call. Rarer is enough, and unlike switching the
collector off it bounds the garbage of whatever else runs meanwhile, the user's function among it.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 50_000
"""Objects made, beyond those freed, until the youngest are looked at."""

_lock = threading.Lock()
_depth = 0
_before = gc.get_threshold()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Python's threshold for collections is at least `YOUNG` inside; blocks nest, on all threads.

    A collector that is switched off, or a threshold that somebody sets inside, stays as it is.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _depth, _before
    with _lock:
        _depth += 1
        if _depth == 1:
            _before = gc.get_threshold()
            gc.set_threshold(*_rare(_before))


def _leave() -> None:
    global _depth
    with _lock:
        _depth -= 1
        if _depth == 0 and gc.get_threshold() == _rare(_before):
            gc.set_threshold(*_before)


def _rare(thresholds: tuple[int, int, int]) -> tuple[int, int, int]:
    young, middle, old = thresholds
    return (max(young, YOUNG) if young else 0, middle, old)
