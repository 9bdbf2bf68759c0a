"""`import fuse.pandas as pd`: pandas, with frames and series that compile what is done with them.

Every name of pandas is here. `DataFrame` and `Series` are subclasses of pandas' own; functions that give
frames (`read_csv`, `concat`, `merge`, …) give ours. `from_pandas(frame)` makes a fuse frame from a plain
one without a copy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pandas as _pandas  # noqa: ICN001  # `pd` would be a name of this module

from fuse.integrations import pandas_frame as _front
from fuse.integrations.pandas_frame import lazy_manager as _lazy_manager
from fuse.integrations.pandas_frame.functions import face as _face
from fuse.integrations.pandas_frame.functions import is_function as _is_function

if _lazy_manager.WORKS:
    DataFrame: Any = _front.DataFrame
    Series: Any = _front.Series
else:
    DataFrame, Series = _pandas.DataFrame, _pandas.Series

from_pandas = _front.wrap

__all__ = [name for name in dir(_pandas) if not name.startswith("_")]
__all__ += ["from_pandas"]
__version__ = _pandas.__version__


@functools.cache
def _function(name: str) -> Callable[..., Any]:
    return _face(name)


def __getattr__(name: str) -> Any:
    value = getattr(_pandas, name)
    return _function(name) if _is_function(value) else value


def __dir__() -> list[str]:
    return sorted({*dir(_pandas), *globals()})
