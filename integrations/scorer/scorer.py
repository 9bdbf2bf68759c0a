"""`Scorer`: steps that run as one compiled pipeline, with the plain objects at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fuse.explain import Explanation
from fuse.integrations.jit.function import JitFunction
from fuse.integrations.scorer.rows import first_row, one_row
from fuse.integrations.scorer.steps import AUTO, composed, methods_of, name_of


class Scorer:
    """Feature functions and estimators as one callable. Made by `fuse.compile`.

    original: the steps as they were given.
    """

    def __init__(self, steps: Sequence[Any], example: Any = None, method: str = AUTO) -> None:
        self.original = tuple(steps)
        self._example = _head(example)
        self._method = method
        self._plain = composed(self.original, methods_of(self.original, method))
        self._compiled: JitFunction[[Any], Any] = JitFunction(self._plain)
        if example is not None:
            self._compiled.prepare(example)

    def __call__(self, data: Any) -> Any:
        """What the steps give one after the other, on a table or array of any number of rows."""
        return self._compiled(data)

    def predict_row(self, row: Mapping[str, Any] | Sequence[Any]) -> Any:
        """The result of a single row, given by column name or, for arrays, in column order.

        With an `example`, its columns and dtypes are the schema: a missing key or a value of another type
        raises SchemaError, other keys are ignored. A 1-D result gives a scalar, a 2-D one its row.
        """
        return first_row(self._plain(one_row(row, self._example)))

    def explain(self, data: Any = None, *, analyze: bool = False) -> Explanation:
        """What the pipeline becomes for this data, or for the example; see `fuse.jit`.

        Raises TypeError when there is neither.
        """
        found = self._example if data is None else data
        if found is None:
            raise TypeError("explain needs data, or an example given to fuse.compile")
        return self._compiled.explain(found, analyze=analyze)

    def __repr__(self) -> str:
        return f"<fuse.Scorer {' | '.join(map(name_of, self.original))}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Scorer, (self.original, self._example, self._method)


def compile(*steps: Any, example: Any = None, method: str = AUTO) -> Scorer:
    """Compose callables and fitted estimators into one `Scorer`: `fuse.compile(features, model, example=df)`.

    An estimator in the middle runs `transform`. At the end it runs `method`: "auto" is `predict_proba` where
    it has one, else `predict`, else `transform`. `example`, a few rows of what the scorer will get, is
    recorded and compiled at once and gives `predict_row` its schema.

    Raises TypeError for a step that is neither callable nor an estimator, or lacks the method of its place.
    """
    return Scorer(steps, example, method)


def _head(example: Any) -> Any:
    """A few rows are enough of a schema; the user's table is not kept alive."""
    if hasattr(example, "iloc"):
        return example.iloc[:10].copy()
    return example[:10].copy() if isinstance(example, np.ndarray) and example.ndim else example
