"""Object code into this process: linked by LLVM's ORC LLJIT, alive exactly as long as its `Library`.

llvmlite is imported on first use, so `import fuse` is cheap and a process that only interprets needs none
of it. LLVM is entered under one lock; whoever generates code takes the same one. A fork waits for it,
because the child of a fork inside LLVM would find LLVM's own locks taken for ever.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llvmlite.binding import orcjit

llvm_lock = threading.RLock()
"""Held around every use of LLVM in this process that takes more than one call."""


class Library:
    """Loaded code. Addresses are valid while this object lives; afterwards their memory is unmapped."""

    def __init__(self, tracker: orcjit.ResourceTracker, symbols: Iterable[str]) -> None:
        self._tracker = tracker
        self._addresses: dict[str, int] = {name: tracker[name] for name in symbols}

    def __getitem__(self, symbol: str) -> int:
        """The address of a symbol; KeyError for one that was not asked for when loading."""
        return self._addresses[symbol]

    @property
    def addresses(self) -> Mapping[str, int]:
        return dict(self._addresses)


def load(object_code: bytes, symbols: Iterable[str]) -> Library:
    """Link relocatable object code and find the addresses of `symbols`.

    What the code does not define (`memset`, `fmod`, Python's C functions) is looked up in this process.
    RuntimeError with LLVM's message when something is missing or the bytes are no object code of this
    machine.
    """
    names = tuple(symbols)
    with llvm_lock:
        from llvmlite import binding

        builder = binding.JITLibraryBuilder().add_object_img(object_code).add_current_process()
        for name in names:
            builder.export_symbol(name)
        return Library(builder.link(_linker(), f"fuse-{next(_numbers)}"), names)


@functools.cache
def host_cpu() -> tuple[str, str]:
    """This machine's CPU as LLVM names it, and its features: `("znver5", "+avx512f,…,-sse4a")`.

    Deterministic, so that it can stand in a cache key.
    """
    with llvm_lock:
        from llvmlite import binding

        return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


@functools.cache
def initialize_native_target() -> None:
    """Let LLVM know this machine's target and its assembly printer; once in a process."""
    with llvm_lock:
        from llvmlite import binding

        binding.initialize_native_target()
        binding.initialize_native_asmprinter()


@functools.cache
def _linker() -> Any:
    """The one LLJIT of the process; libraries never share its name space, see `_numbers`."""
    from llvmlite import binding

    initialize_native_target()
    return binding.create_lljit_compiler(suppress_errors=True)  # they come as exceptions


_numbers = itertools.count()  # LLJIT never forgets a library's name


def _pause() -> None:
    """Before a fork: let every thread leave LLVM. llvmlite is looked at only when it is loaded."""
    llvm_lock.acquire()
    binding = sys.modules.get("llvmlite.binding.ffi")
    inner = getattr(getattr(getattr(binding, "lib", None), "_lock", None), "_lock", None)
    if inner is not None:
        inner.acquire()
    _paused.append(inner)


def _resume() -> None:
    """After a fork, in parent and child: the forking thread holds the locks in both."""
    inner = _paused.pop()
    if inner is not None:
        inner.release()
    llvm_lock.release()


_paused: list[Any] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause, after_in_parent=_resume, after_in_child=_resume)
