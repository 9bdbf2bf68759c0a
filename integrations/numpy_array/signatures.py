"""Methods with NumPy's signatures: `help(x.sum)`, completion and `inspect.signature` say the same of both.

What a method does stands in its own docstring; NumPy's is taken where it has none.
"""

from __future__ import annotations

from types import FunctionType

import numpy as np


def like_numpy(cls: type) -> type:
    """A class decorator: each method that NumPy's array has too refers to it."""
    for name, method in vars(cls).items():
        theirs = getattr(np.ndarray, name, None)
        if isinstance(method, FunctionType) and callable(theirs):
            method.__wrapped__ = theirs  # type: ignore[attr-defined]  # what `inspect.signature` follows
            method.__doc__ = method.__doc__ or theirs.__doc__
    return cls
