"""Arrays for results: 64-byte aligned, and large ones over memory that an earlier result gave back.

The first touch of a fresh page costs more than most kernels spend on it, so a large block is not unmapped
when its array dies but kept in a free list of its size class, up to a cap. An array over a block is an
ordinary writable `numpy.ndarray` whose `base` is an owner; views hold the array or the owner, so the block
comes back when the last of them is gone.

The owner is itself an ndarray and not an object with `__array_interface__`: NumPy lets a user switch a
read-only array back to writable only when its base is a writable array or buffer, and results must allow
that.

Left out: zeroing (kernels write every element), arrays of Python objects (NumPy must initialise those), and
in-place `ndarray.resize` of a large result, which NumPy refuses for every array that does not own its
memory.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections import deque
from contextlib import suppress
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

ALIGNMENT = 64
SMALL = 1 << 14
"""Bytes below which alignment does not repay its microsecond."""
POOLED = 1 << 18
"""Bytes from which memory is mapped in blocks and reused."""
_HUGE_PAGES = 1 << 22
"""Bytes from which huge pages are asked for, as NumPy does: first touches cost an eighth."""

_PATIENCE = 0.001
"""Seconds to wait for the pool's lock."""


def empty(shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An uninitialised C-contiguous writable array; NumPy's exceptions for impossible shapes.

    The data start at a multiple of 64 bytes from 16 KiB on; smaller arrays are `numpy.empty`'s.
    """
    dtype = np.dtype(dtype)
    size = dtype.itemsize * (shape if isinstance(shape, int) else prod(shape))
    if size < SMALL or dtype.hasobject:
        return np.empty(shape, dtype)
    if size < POOLED:
        return _over_allocated(shape, dtype, size)
    block = _POOL.take(_size_class(size))
    if block is None:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, _Owner((len(block),), np.uint8, block))


def release_all() -> None:
    """Return all memory that is kept for reuse to the system; living arrays keep theirs."""
    _POOL.clear()


def held_bytes() -> int:
    """Bytes kept for reuse."""
    return _POOL.held


def _over_allocated(shape: int | tuple[int, ...], dtype: np.dtype[Any], size: int) -> NDArray[Any]:
    raw = np.empty(size + ALIGNMENT, np.uint8)
    return np.ndarray(shape, dtype, raw, -raw.ctypes.data % ALIGNMENT)


def _size_class(size: int) -> int:
    """The block size for `size` bytes: eight classes to a power of two, so at most an eighth is spare."""
    step = 1 << (size.bit_length() - 4)
    return -(-size // step) * step


class _Pool:
    """Blocks that wait for their next use, in free lists by size.

    A finaliser runs wherever the garbage collector strikes, also inside the methods below, so nothing here
    may wait for the lock without end: blocks come back through `returned`, whose append is atomic, and
    whoever holds the lock sorts them in. `take` waits a moment, because a thread that lost the interpreter
    while it held the lock gets on as soon as we wait; in vain only when the collector struck inside this
    thread's own `take`.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.reset()

    def reset(self) -> None:
        """Start empty; in the child of a fork the lock may belong to a thread that is not there."""
        self.held = 0
        self.returned: deque[mmap.mmap] = deque()
        self.free: dict[int, list[mmap.mmap]] = {}  # the size given back last stands last
        self.lock = threading.Lock()

    def take(self, size: int) -> mmap.mmap | None:
        """A block of exactly `size` bytes, reused or new; None when the system has no memory to map."""
        block = self.reuse(size)
        self.settle()
        return _map(size) if block is None else block

    def reuse(self, size: int) -> mmap.mmap | None:
        if not self.lock.acquire(timeout=_PATIENCE):
            return None
        try:
            self.sort_in()
            return self.pop(size) if size in self.free else None
        finally:
            self.lock.release()

    def give(self, block: mmap.mmap) -> None:
        self.returned.append(block)
        self.settle()

    def settle(self) -> None:
        """Sort what came back into the free lists, and unmap what exceeds the cap.

        Looks again after letting the lock go: a block that came back meanwhile was left to us.
        """
        while (self.returned or self.held > self.limit) and self.lock.acquire(blocking=False):
            try:
                self.sort_in()
                surplus = self.surplus()
            finally:
                self.lock.release()
            del surplus  # unmapping is slow: outside the lock

    def sort_in(self) -> None:
        while self.returned:
            block = self.returned.popleft()
            blocks = self.free.pop(len(block), [])
            blocks.append(block)
            self.free[len(block)] = blocks
            self.held += len(block)

    def surplus(self) -> list[mmap.mmap]:
        """Take out what exceeds the cap, the size unused for longest first."""
        blocks = []
        while self.held > self.limit:
            blocks.append(self.pop(next(iter(self.free))))
        return blocks

    def pop(self, size: int) -> mmap.mmap:
        blocks = self.free[size]
        block = blocks.pop()
        if not blocks:
            del self.free[size]
        self.held -= size
        return block

    def clear(self) -> None:
        self.settle()
        with self.lock:
            dropped, self.free, self.held = self.free, {}, 0
        del dropped


def _map(size: int) -> mmap.mmap | None:
    """Fresh private pages; None when there is no memory, so that NumPy raises its own error."""
    with suppress(OSError, OverflowError, ValueError):
        if os.name != "posix":
            return mmap.mmap(-1, size)
        block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANON)
        if size >= _HUGE_PAGES and hasattr(mmap, "MADV_HUGEPAGE"):
            with suppress(OSError):
                block.madvise(mmap.MADV_HUGEPAGE)
        return block
    return None


def _limit() -> int:
    """Bytes to keep at most: an eighth of the machine's memory, and no more than a gigabyte."""
    try:
        return min(1 << 30, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 8)
    except (AttributeError, OSError, ValueError):
        return 1 << 30


_POOL = _Pool(_limit())


class _Owner(np.ndarray[tuple[int], np.dtype[np.uint8]]):
    """The bytes of one block; its end gives the block back.

    Views of an owner are owners too, but stand on an owner and not on a block, and so give nothing back. What
    the finaliser needs hangs on the class: at the interpreter's end the module's names may be gone.
    """

    pool: ClassVar[_Pool] = _POOL
    block_type: ClassVar[type[mmap.mmap]] = mmap.mmap

    def __del__(self) -> None:
        block: Any = self.base
        if isinstance(block, self.block_type):
            self.pool.give(block)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_POOL.reset)
