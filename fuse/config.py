"""The settings, and the only place that reads the environment.

Precedence, strongest first: `with fuse.config(...)`, `fuse.set_config(...)`, environment, default. The
current settings live in a context variable, so threads and tasks do not disturb each other.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any


@dataclass(frozen=True)
class Config:
    """Every setting with its default.

    num_threads: workers of a kernel; None means: `OMP_NUM_THREADS`, else what the process may use.
    cache: "1" keeps object code on disk, "0" does not, "readonly" only reads.
    cache_dir: folder of the disk cache; None means the user's cache folder.
    cache_size: bytes the disk cache may hold.
    strict: a step that is not compiled raises `StrictModeError` instead of running in the library.
    raise_internal: a bug inside the compiler raises instead of falling back (set by the tests).
    min_rows: inputs with fewer elements than this run in the plain library.
    eager_bytes: an operation of `fuse.numpy` on arrays that are there and smaller than this runs in NumPy at
        once, where it takes less time than recording it; with `min_rows=0` none does.
    borrow_bytes: arrays of at least this many bytes are write-protected instead of copied when recorded.
    target: instruction set to compile for: "native", "x86-64-v4", "x86-64-v3" or "x86-64".
    warn: warn of overflows, divisions by zero and invalid values where NumPy does.
    dump: stages to print: any of graph, optimize, kernels, llvm, asm.
    disable: names of optimizer passes to leave out.
    schedule: choices to force, as "forest=walk"; forest: "bitvector" or "walk". What cannot be is not forced.
    """

    num_threads: int | None = None
    cache: str = "1"
    cache_dir: str | None = None
    cache_size: int = 512 * 1024 * 1024
    strict: bool = False
    raise_internal: bool = False
    min_rows: int = 4096
    eager_bytes: int = 1 << 20
    borrow_bytes: int = 1 << 20
    target: str = "native"
    warn: bool = True
    dump: frozenset[str] = frozenset()
    disable: frozenset[str] = frozenset()
    schedule: frozenset[str] = frozenset()

    def forced(self, choice: str) -> str | None:
        """What `schedule` says of a choice."""
        return next((text.split("=")[1] for text in self.schedule if text.startswith(f"{choice}=")), None)


def _flag(text: str) -> bool:
    return text.strip().lower() not in {"", "0", "false", "no", "off"}


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


CHOICES = {"forest": ("bitvector", "walk")}
"""What `schedule` may force, and to what."""


def _choices(text: str) -> frozenset[str]:
    """ValueError for a choice or a value that there is not."""
    found = _names(text)
    known = {f"{choice}={value}" for choice, values in CHOICES.items() for value in values}
    for unknown in sorted(found - known):
        raise ValueError(f"no schedule has {unknown!r}; there are {', '.join(sorted(known))}")
    return found


def _count(text: str) -> int:
    return max(1, int(text))


_ENVIRONMENT = {
    "FUSE_NUM_THREADS": ("num_threads", _count),
    "FUSE_CACHE": ("cache", str),
    "FUSE_CACHE_DIR": ("cache_dir", str),
    "FUSE_CACHE_SIZE": ("cache_size", int),
    "FUSE_STRICT": ("strict", _flag),
    "FUSE_RAISE_INTERNAL": ("raise_internal", _flag),
    "FUSE_MIN_ROWS": ("min_rows", int),
    "FUSE_EAGER_BYTES": ("eager_bytes", int),
    "FUSE_TARGET": ("target", str),
    "FUSE_WARN": ("warn", _flag),
    "FUSE_DUMP": ("dump", _names),
    "FUSE_DISABLE": ("disable", _names),
    "FUSE_SCHEDULE": ("schedule", _choices),
}


def from_environment(environ: dict[str, str] | None = None) -> Config:
    """The defaults as the environment changes them; a value that does not parse is reported and ignored."""
    source = os.environ if environ is None else environ
    found: dict[str, Any] = {}
    if "OMP_NUM_THREADS" in source:
        found.update(_parsed("OMP_NUM_THREADS", "num_threads", _leading_count, source["OMP_NUM_THREADS"]))
    for variable, (field, parse) in _ENVIRONMENT.items():
        if variable in source:
            found.update(_parsed(variable, field, parse, source[variable]))
    return Config(**found)


def _leading_count(text: str) -> int:
    """OpenMP allows a list, one number per nesting level; the first is ours."""
    return _count(text.split(",")[0])


def _parsed(variable: str, field: str, parse: Any, text: str) -> dict[str, Any]:
    try:
        return {field: parse(text)}
    except ValueError:
        import warnings

        warnings.warn(
            f"{variable}={text!r} is not a valid value and is ignored", RuntimeWarning, stacklevel=2
        )
        return {}


_default = from_environment()
_current: ContextVar[Config | None] = ContextVar("fuse_config", default=None)


def current() -> Config:
    """The settings in force here."""
    return _current.get() or _default


def set_config(**changes: Any) -> None:
    """Change settings of the whole process; names as in `Config`, TypeError for unknown ones.

    ValueError for an unknown choice of `schedule`.
    """
    global _default
    _default = _changed(_default, changes)


@contextmanager
def config(**changes: Any) -> Iterator[Config]:
    """Change settings inside a `with` block; names as in `Config`, TypeError for unknown ones."""
    token = _current.set(_changed(current(), changes))
    try:
        yield current()
    finally:
        _current.reset(token)


def _changed(base: Config, changes: dict[str, Any]) -> Config:
    known = {field.name for field in fields(Config)}
    unknown = sorted(set(changes) - known)
    if unknown:
        raise TypeError(f"unknown setting {unknown[0]!r}; the settings are {', '.join(sorted(known))}")
    for name in ("dump", "disable", "schedule"):
        if name in changes:
            changes[name] = frozenset([changes[name]] if isinstance(changes[name], str) else changes[name])
    if "schedule" in changes:
        _choices(",".join(changes["schedule"]))
    return replace(base, **changes)


class ConfigModule(ModuleType):
    """`fuse.config` is this module and, for users, the context manager of the same name."""

    if TYPE_CHECKING:
        config: Callable[..., AbstractContextManager[Config]]
        current: Callable[[], Config]
        from_environment: Callable[..., Config]
        set_config: Callable[..., None]

    def __call__(self, **changes: Any) -> AbstractContextManager[Config]:
        return config(**changes)


sys.modules[__name__].__class__ = ConfigModule
