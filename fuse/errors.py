"""The errors that are fuse's own.

Everything a library would raise is raised as that library's exception; these classes are for what only a
compiler can say. Left out: internal failures. They never reach a user, the engine catches them and runs the
step in the interpreter (see `fuse/engine.py`).
"""

from __future__ import annotations


class FuseError(Exception):
    """Base class of every error that is fuse's own."""


class StrictModeError(FuseError):
    """A step could not be compiled and `fuse.config(strict=True)` forbids running it in the library."""


class SchemaError(FuseError, ValueError):
    """A column is missing, superfluous or of another type than the compiled function was made for."""


class ExportError(FuseError):
    """A pipeline cannot leave this process, because some of its steps are calls into a library."""


class VerifyError(FuseError):
    """A graph broke the rules of the IR; a bug in the pass that the message names."""


class InternalError(FuseError):
    """A stage of the compiler failed on a valid graph; a bug, contained by the engine outside of tests."""
