"""The pandas front end: frames and series that record what is done with them.

`wrap(obj)` makes a fuse frame or series from a pandas one without a copy; `unwrap` gives the plain
object back.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from fuse.integrations.pandas_frame import lazy_manager
from fuse.integrations.pandas_frame.frame import DataFrame
from fuse.integrations.pandas_frame.install import install
from fuse.integrations.pandas_frame.series import Series

install()


def wrap(value: Any) -> Any:
    """A fuse object over a plain frame or series, its data shared under copy-on-write; anything else
    itself."""
    if not lazy_manager.WORKS or isinstance(value, lazy_manager.Deferring):
        return value
    if type(value) is pd.DataFrame:
        return lazy_manager.adopt(DataFrame, value)
    return lazy_manager.adopt(Series, value) if type(value) is pd.Series else value


def unwrap(value: Any) -> Any:
    """The plain pandas object behind a fuse one, evaluated; anything else itself."""
    return lazy_manager.shallow(value) if isinstance(value, lazy_manager.Deferring) else value


__all__ = ["DataFrame", "Series", "unwrap", "wrap"]
