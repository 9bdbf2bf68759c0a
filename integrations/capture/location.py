"""Which line of the user's code is running: the nearest frame outside fuse and the libraries it replaces."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from functools import cache
from types import FrameType

from fuse.ir.node import Location

_LIBRARIES = ("numpy", "pandas", "sklearn", "lightgbm", "scipy", "joblib")


@cache
def _internal_folders() -> tuple[str, ...]:
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    beside = os.path.dirname(os.path.realpath(here))
    ours = [here, *(os.path.join(beside, name) for name in ("fuse", "integrations", "runtime"))]
    specs = (importlib.util.find_spec(name) for name in _LIBRARIES)
    theirs = [os.path.dirname(spec.origin) for spec in specs if spec and spec.origin]
    return tuple(folder + os.sep for folder in ours + theirs)


@cache
def is_internal(file: str) -> bool:
    """Whether code of this file belongs to fuse, to Python's start-up or to a library that fuse replaces."""
    return file.startswith((*_internal_folders(), "<frozen", "<string>"))


@cache
def _installed_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({paths[name] + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})


@cache
def is_users(file: str) -> bool:
    """Whether code of this file is the user's: neither Python's, nor of an installed package, nor ours."""
    return not file.startswith((*_internal_folders(), *_installed_folders(), "<frozen"))


def user_location(library: str = "") -> Location | None:
    """The user's line that led here, with the library whose name was called.

    Below an installed package (a plugin, a test runner) there may be no line of the user: then it is the
    nearest line outside fuse.
    """
    frame = user_frame()
    return None if frame is None else Location(frame.f_code.co_filename, frame.f_lineno, library)


def user_frame() -> FrameType | None:
    """The frame of that line."""
    frame: FrameType | None = sys._getframe(1)
    nearest: FrameType | None = None
    while frame is not None:
        file = frame.f_code.co_filename
        if is_users(file):
            return frame
        if nearest is None and not is_internal(file):
            nearest = frame
        frame = frame.f_back
    return nearest
