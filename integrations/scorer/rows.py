"""One row from a mapping or a sequence, as the table or array that a scorer takes, and one row out of its
result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fuse.errors import SchemaError


def one_row(row: Mapping[str, Any] | Sequence[Any], example: Any) -> Any:
    """A table or array of one row with the columns and dtypes of `example`.

    Keys that the example does not have are ignored. Raises SchemaError for a missing key, a value that its
    column's dtype cannot hold, and a sequence of the wrong length.
    """
    if isinstance(row, Mapping):
        return _table(row, example)
    width = example.shape[1] if getattr(example, "ndim", 0) == 2 else None
    if width is not None and len(row) != width:
        raise SchemaError(f"the row has {len(row)} values, the example {width} columns")
    return np.asarray([row], getattr(example, "dtype", None))


def _table(row: Mapping[str, Any], example: Any) -> Any:
    import pandas as pd

    if not isinstance(example, pd.DataFrame):
        return pd.DataFrame([row])
    missing = [str(name) for name in example.columns if name not in row]
    if missing:
        raise SchemaError(
            f"the row has no {', '.join(map(repr, missing))}; the columns are {list(example.columns)}"
        )
    return pd.DataFrame({name: _value(name, row[name], example[name].dtype) for name in example.columns})


def _value(name: Any, value: Any, dtype: Any) -> Any:
    import pandas as pd

    try:
        if isinstance(dtype, pd.CategoricalDtype):
            codes = dtype.categories.get_indexer(pd.Index([value], dtype=object))
            return pd.Categorical.from_codes(codes, dtype=dtype)
        return pd.Series([value], dtype=dtype)
    except (TypeError, ValueError) as error:
        raise SchemaError(f"{name!r} is {value!r}, which is no {dtype}: {error}") from error


def first_row(result: Any) -> Any:
    """The one row of a result: a scalar of a 1-D result, a 1-D array of a 2-D one."""
    return result.iloc[0] if hasattr(result, "iloc") else result[0]
