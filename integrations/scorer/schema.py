"""What a scorer takes: columns by name with their dtypes, or a matrix of so many columns.

The schema is that of the example. Data are brought to it before anything runs: columns are found by name and
put in the example's order, a dtype that holds less is widened, categories become codes of the example's
categories (others count as missing). Whatever does not fit raises SchemaError with the column's name.

Imports neither NumPy nor pandas by itself, so that a process that scores single rows loads neither.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from fuse.errors import ExportError, SchemaError

Kind = Literal["frame", "series", "matrix", "vector", "tensor"]
_PLAIN = (str, int, float, bool, type(None))
_KINDS = "biufmM"


@dataclass(frozen=True)
class ColumnSchema:
    """One column. dtype: as pandas writes it ("float64", "category", "str", "datetime64[us]", …);
    categories: of a categorical column; ordered: whether they are; used: whether the pipeline reads it.
    """

    name: Any
    dtype: str
    categories: tuple[Any, ...] | None = None
    ordered: bool = False
    used: bool = True

    def __str__(self) -> str:
        unused = "" if self.used else " (not used)"
        return f"{self.name}: {self.dtype}{unused}"


@dataclass(frozen=True)
class Schema:
    """The columns of a frame, the element of a series, a vector or an array of more axes ("tensor"), or those
    of a matrix (named 0, 1, 2, …).
    """

    kind: Kind
    columns: tuple[ColumnSchema, ...]
    names: tuple[Any, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))

    def __str__(self) -> str:
        return "\n".join(map(str, self.columns))

    def __iter__(self) -> Any:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: Any) -> ColumnSchema:
        """The column of this name. KeyError when there is none."""
        return self.columns[self.position[name]]

    @cached_property
    def position(self) -> Mapping[Any, int]:
        """Where each column stands."""
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def used(self) -> tuple[ColumnSchema, ...]:
        """The columns that the pipeline reads, in order."""
        return tuple(column for column in self.columns if column.used)

    def with_used(self, positions: set[int]) -> Schema:
        """The same with the columns marked that are read."""
        marked = (replace(column, used=place in positions) for place, column in enumerate(self.columns))
        return Schema(self.kind, tuple(marked))

    def described(self) -> dict[str, Any]:
        """What JSON holds. ExportError for names or categories that it does not."""
        for column in self.columns:
            for value in (column.name, *(column.categories or ())):
                if type(value) not in _PLAIN:
                    raise ExportError(
                        f"column {column.name!r}: a {type(value).__name__} as a name or category "
                        "cannot be saved; text, numbers and bools can"
                    )
        return {"kind": self.kind, "columns": [asdict(column) for column in self.columns]}

    @classmethod
    def restored(cls, description: Mapping[str, Any]) -> Schema:
        """The inverse of `described`."""
        columns = (
            ColumnSchema(
                row["name"],
                row["dtype"],
                None if row["categories"] is None else tuple(row["categories"]),
                row["ordered"],
                row["used"],
            )
            for row in description["columns"]
        )
        return cls(description["kind"], tuple(columns))

    @classmethod
    def of(cls, example: Any) -> Schema | None:
        """The schema of an example; None for an object that is no table and no array of one or two axes."""
        if hasattr(example, "dtypes") and hasattr(example, "columns"):
            names = list(example.columns)
            return cls("frame", tuple(map(_column, names, example.dtypes)))
        if hasattr(example, "iloc"):
            return cls("series", (_column(example.name, example.dtype),))
        if getattr(example, "ndim", 0) in (1, 2) and hasattr(example, "dtype"):
            dtype = str(example.dtype)
            if example.ndim == 1:
                return cls("vector", (ColumnSchema(0, dtype),))
            return cls("matrix", tuple(ColumnSchema(place, dtype) for place in range(example.shape[1])))
        return None

    def bring(self, data: Any) -> Any:
        """The data as the example's container and dtypes; `data` itself where nothing has to change.

        A frame may come as a mapping from names to columns, a matrix as anything that `np.asarray` takes.
        SchemaError for missing, superfluous and ill-typed columns.
        """
        if self.kind == "frame":
            return self._frame(data)
        return self._series(data) if self.kind == "series" else self._array(data)

    def check_names(self, names: Sequence[Any]) -> None:
        """SchemaError naming the used columns that are missing, or those the schema does not have."""
        given = set(names)
        missing = [column.name for column in self.columns if column.used and column.name not in given]
        if missing:
            raise SchemaError(f"missing {_listed(missing)}; the columns are {list(self.names)}")
        extra = [name for name in names if name not in self.position]
        if extra:
            raise SchemaError(f"unknown {_listed(extra)}; the columns are {list(self.names)}")

    def _frame(self, data: Any) -> Any:
        import pandas as pd

        if isinstance(data, Mapping):
            data = pd.DataFrame({name: _listlike(values) for name, values in data.items()})
        if not isinstance(data, pd.DataFrame):
            raise SchemaError(f"a {type(data).__name__}, expected a table of the columns {list(self.names)}")
        names = list(data.columns)
        if len(names) != len(self.names) or tuple(names) != self.names:
            if len(set(names)) < len(names):
                raise SchemaError(f"columns of the same name: {_listed(sorted(set(names), key=str))}")
            self.check_names(names)
            given = set(names)
            data = data[[name for name in self.names if name in given]]
        changed = {
            name: brought
            for name, dtype in zip(data.columns, data.dtypes, strict=True)
            if (brought := _brought(self[name], dtype, data, name)) is not None
        }
        return _replaced(data, changed) if changed else data

    def _series(self, data: Any) -> Any:
        import pandas as pd

        if not isinstance(data, pd.Series):
            data = pd.Series(data, name=self.columns[0].name)
        brought = _brought(self.columns[0], data.dtype, data, None)
        return data if brought is None else brought

    def _array(self, data: Any) -> Any:
        import numpy as np

        array = np.asarray(data)
        if self.kind == "matrix" and (array.ndim != 2 or array.shape[1] != len(self.columns)):
            raise SchemaError(
                f"an array of shape {array.shape}, expected rows of {len(self.columns)} columns"
            )
        if self.kind == "vector" and array.ndim != 1:
            raise SchemaError(f"an array of shape {array.shape}, expected one axis")
        expected = np.dtype(self.columns[0].dtype)
        if array.dtype == expected:
            return array
        if not np.can_cast(array.dtype, expected, "safe"):
            raise SchemaError(f"an array of {array.dtype}, expected {expected}")
        return array.astype(expected)


def _listlike(values: Any) -> Any:
    return values if hasattr(values, "__len__") and not isinstance(values, str | bytes) else [values]


def _listed(names: Sequence[Any]) -> str:
    return ("column " if len(names) == 1 else "columns ") + ", ".join(map(repr, names))


def _column(name: Any, dtype: Any) -> ColumnSchema:
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(dtype, pandas.CategoricalDtype):
        return ColumnSchema(name, "category", tuple(dtype.categories.tolist()), bool(dtype.ordered))
    return ColumnSchema(name, str(dtype))


def _replaced(data: Any, columns: Mapping[Any, Any]) -> Any:
    data = data.copy(deep=False)
    for name, values in columns.items():
        data[name] = values
    return data


def _brought(column: ColumnSchema, dtype: Any, data: Any, name: Any) -> Any:
    """The column in the schema's dtype; None when it is already. SchemaError when it cannot be."""
    if column.dtype == "category":
        return _categorical(column, dtype, data if name is None else data[name])
    if str(dtype) == column.dtype:
        return None
    series = data if name is None else data[name]
    if _widens(dtype, column.dtype) or _is_text(series, column.dtype):
        return series.astype(column.dtype)
    raise SchemaError(f"column {column.name!r} is {dtype}, expected {column.dtype}")


def _widens(dtype: Any, expected: str) -> bool:
    import numpy as np

    try:
        target = np.dtype(expected)
    except TypeError:
        return False
    is_plain = isinstance(dtype, np.dtype) and dtype.kind in _KINDS and target.kind in _KINDS
    return is_plain and bool(np.can_cast(dtype, target, "safe"))


def _is_text(series: Any, expected: str) -> bool:
    """Whether a column of another dtype holds text and missing values only."""
    import pandas as pd

    if expected != "str":
        return False
    return pd.api.types.infer_dtype(series, skipna=True) in ("string", "empty") or isinstance(
        series.dtype, pd.StringDtype
    )


def _categorical(column: ColumnSchema, dtype: Any, series: Any) -> Any:
    import pandas as pd

    assert column.categories is not None
    if isinstance(dtype, pd.CategoricalDtype):
        same = tuple(dtype.categories.tolist()) == column.categories
        return None if same and bool(dtype.ordered) == column.ordered else _as_categories(column, series)
    known = {type(category) for category in column.categories}
    if known <= {str} and not _is_text(series, "str"):
        raise SchemaError(f"column {column.name!r} is {dtype}, expected a category of {column.categories!r}")
    return _as_categories(column, series)


def _as_categories(column: ColumnSchema, series: Any) -> Any:
    """Codes by the schema's categories; what is none of them is missing."""
    import pandas as pd

    target = pd.CategoricalDtype(list(column.categories or ()), column.ordered)
    values = series.astype(object) if not isinstance(series.dtype, pd.CategoricalDtype) else series
    codes = target.categories.get_indexer(pd.Index(values.astype(object)))
    return pd.Series(pd.Categorical.from_codes(codes, dtype=target), index=series.index, name=series.name)
