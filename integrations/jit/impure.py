"""Does a function ask for something that is different at every call: random numbers, the time?

A replay would give the numbers of the recording again, so such a function is recorded anew at each call. It
is judged by the names in its code; a name that means something else costs speed and nothing more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from fuse.integrations.jit.substitute import global_names

_NAMES = frozenset({"now", "today", "utcnow", "perf_counter", "urandom"})
_MODULES = frozenset({"random", "time", "secrets", "uuid"})


def impurity(functions: Iterable[FunctionType]) -> str | None:
    """Why these functions may give something else at every call; None when nothing says so."""
    for function in functions:
        names = _names(function.__code__) & _NAMES
        if names:
            return f"{function.__name__} uses {sorted(names)[0]!r}, which may be different at every call"
        for name in global_names(function.__code__)[0]:
            if is_impure(function.__globals__.get(name)):
                return f"{function.__name__} uses {name!r}, which is different at every call"
    return None


def is_impure(value: Any) -> bool:
    """A source of random numbers, or a module of such."""
    if isinstance(value, ModuleType):
        return value.__name__ in _MODULES
    if "numpy.random" not in sys.modules:
        return False
    bound = getattr(value, "__self__", None)
    kinds = (np.random.Generator, np.random.RandomState)
    return isinstance(value, kinds) or isinstance(bound, kinds)


@cache
def _names(code: CodeType) -> frozenset[str]:
    inner = (_names(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return frozenset(code.co_names).union(*inner)
