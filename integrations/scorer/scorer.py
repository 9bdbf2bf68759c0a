"""`Scorer`: steps that run as one compiled pipeline, with the plain objects at hand, and the pipeline that
was loaded from a file.

Importing this file loads neither NumPy nor any library: a process that loads a scorer to score single rows
needs none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

from fuse.errors import ExportError
from fuse.integrations.scorer.schema import Schema

if TYPE_CHECKING:
    from fuse.explain import Explanation
    from fuse.integrations.jit.function import JitFunction
    from fuse.integrations.scorer.pipeline import Pipeline
    from fuse.integrations.scorer.row_code import Loadable
    from fuse.integrations.scorer.saved import Saved

Path = str | PathLike[str]


class Scorer:
    """Feature functions and estimators as one callable. Made by `fuse.compile`.

    original: the steps as they were given; schema: the columns that it takes, None without an example.
    """

    original: tuple[Any, ...] | None
    schema: Schema | None

    def __init__(self, steps: Sequence[Any], example: Any = None, method: str = "auto") -> None:
        from fuse.integrations.jit.function import JitFunction
        from fuse.integrations.scorer.steps import composed, methods_of

        self.original = tuple(steps)
        self._example = _head(example)
        self._method = method
        self._plain = composed(self.original, methods_of(self.original, method))
        self._compiled: JitFunction[[Any], Any] = JitFunction(self._plain)
        self.schema = None if example is None else Schema.of(example)
        if example is not None:
            self._compiled.prepare(example)

    def __call__(self, data: Any) -> Any:
        """What the steps give one after the other, on a table or array of any number of rows.

        With an `example`, data are first brought to its schema: columns by name, in its order and dtypes.
        SchemaError names a column that is missing, unknown or of a dtype that does not fit.
        """
        return self._compiled(data if self.schema is None else self.schema.bring(data))

    def predict_row(self, row: Mapping[Any, Any] | Sequence[Any] | Any) -> Any:
        """The result of a single row in a few microseconds.

        `row` is a mapping by column name (other keys are ignored), a sequence in column order, or an object
        with the columns as attributes (a dataclass). None is a missing value. A 1-D result gives a Python
        scalar, a 2-D one a tuple, a table a dict by column name. Safe to call from many threads.

        Raises SchemaError for a missing key and for a value that its column's dtype cannot hold; TypeError
        for a scorer without an example.
        """
        function, unchanged = self._row
        if not unchanged():  # a model was fitted again, a global has another value
            del self._row
            function, unchanged = self._row
        return function(row)

    @cached_property
    def _row(self) -> tuple[Callable[[Any], Any], Callable[[], bool]]:
        """The function that scores a row, and whether it still is what the steps do."""
        from fuse.integrations.scorer.row_code import row_function

        if self.schema is None:
            raise TypeError("predict_row needs an example given to fuse.compile: its columns are the schema")
        loadable, schema, unchanged = self._row_code()
        return row_function(schema, loadable, self._one), unchanged

    def _row_code(self) -> tuple[Loadable | None, Schema, Callable[[], bool]]:
        """The row code, None when steps run in a library; the schema with the columns that are read; and
        whether the code still holds.
        """
        from fuse.execution.row import NoRow
        from fuse.integrations.scorer.row_code import Loadable, compiled

        assert self.schema is not None
        try:
            pipeline = self._whole_pipeline()
            found = compiled(pipeline)
        except (ExportError, NoRow) as reason:
            from fuse.integrations.capture.report import fallback

            fallback("fuse.Scorer.predict_row", str(reason))
            return None, self.schema, _always
        return Loadable(found.code, found.addresses, found), pipeline.schema, pipeline.unchanged

    def _one(self, data: Any) -> Any:
        """The result for a table or array of one row, by the libraries."""
        return self._plain(data)

    def _whole_pipeline(self) -> Pipeline:
        """The graph from raw columns to the result. ExportError when steps of it run in a library."""
        from fuse.integrations.jit.function import JitFunction
        from fuse.integrations.scorer.pipeline import record

        if self.schema is None or self._example is None:
            raise ExportError("this needs an example given to fuse.compile: its columns are the schema")
        return record(JitFunction(self._plain), self.schema, self._example)

    def save(self, path: Path, *, code: bool = True) -> None:
        """Write the pipeline to one file that `fuse.load` reads, without scikit-learn, pandas or LightGBM.

        The file holds the graph and the models' tables, no pickle and no code of yours. `code` adds the
        compiled row function for this processor, which `fuse.load(path, trusted=True)` takes as it is.

        Raises ExportError, with the lines, when steps of the pipeline run in a library, and OSError.
        """
        from fuse.integrations.scorer.loading import write

        write(path, self._bytes(code))

    def export(
        self, path: Path, *, target: str = "wasm32", example: Any = None, cpu: str | None = None
    ) -> None:
        """Write the pipeline for another place: a folder of files that need neither Python nor a library.

        target: "wasm32" gives a WebAssembly module with JavaScript and TypeScript around it; a triple such as
        "x86_64-linux-gnu" or "aarch64-linux-gnu" a library for C, for the processor `cpu`. example: the data
        of the test vectors, those that the scorer was made with by default.

        Raises ExportError, with the lines, when steps of the pipeline run in a library, and OSError.
        """
        from fuse.integrations.scorer.exporting import export

        export(self._whole_pipeline(), "pipeline", self._example if example is None else example, path,
               target, cpu)  # fmt: skip

    def _bytes(self, code: bool) -> bytes:
        from fuse.integrations.scorer.saved import to_bytes

        return to_bytes(self._whole_pipeline(), code)

    def explain(self, data: Any = None, *, analyze: bool = False) -> Explanation:
        """What the pipeline becomes for this data, or for the example; see `fuse.jit`.

        Raises TypeError when there is neither.
        """
        found = self._example if data is None else data
        if found is None:
            raise TypeError("explain needs data, or an example given to fuse.compile")
        return self._compiled.explain(found, analyze=analyze)

    def __repr__(self) -> str:
        from fuse.integrations.scorer.steps import name_of

        return f"<fuse.Scorer {' | '.join(map(name_of, self.original or ()))}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """As the file that `save` writes, so that unpickling needs none of the libraries; a pipeline that has
        no such file is pickled as its steps.
        """
        from fuse.integrations.scorer.loading import from_bytes

        try:
            return from_bytes, (self._bytes(False),)
        except ExportError:
            return Scorer, (self.original, self._example, self._method)


class LoadedScorer(Scorer):
    """A scorer from a file: its graph and tables, without the objects that they came from (`original` is
    None).
    """

    schema: Schema

    def __init__(self, saved: Saved) -> None:
        self.original = None
        self._example = None
        self.schema = saved.schema
        self._saved = saved

    def predict_row(self, row: Mapping[Any, Any] | Sequence[Any] | Any) -> Any:
        """The result of a single row in a few microseconds; see `Scorer.predict_row`."""
        function, _ = self._row
        self.__dict__["predict_row"] = function  # from now on the compiled function itself
        return function(row)

    def __call__(self, data: Any) -> Any:
        """The result for a table (or a mapping from names to columns) or array of any number of rows.

        SchemaError names a column that is missing, unknown or of a dtype that does not fit.
        """
        return self._saved.pipeline(data)

    def _one(self, data: Any) -> Any:
        return self._saved.pipeline(data)

    def _whole_pipeline(self) -> Pipeline:
        return self._saved.pipeline

    def _row_code(self) -> tuple[Loadable | None, Schema, Callable[[], bool]]:
        return self._saved.row_code(), self.schema, _always

    def _bytes(self, code: bool) -> bytes:
        from fuse.integrations.scorer.saved import to_bytes

        return to_bytes(self._saved.pipeline, code)

    def explain(self, data: Any = None, *, analyze: bool = False) -> Explanation:
        """The kernels of the pipeline; the same for all data. `analyze` needs data and gives times."""
        from fuse.explain.describe import describe

        return describe(self._saved.pipeline.program)

    def __repr__(self) -> str:
        return f"<fuse.Scorer of {len(self.schema.used)} columns, from a file>"

    def __reduce__(self) -> tuple[Any, ...]:
        from fuse.integrations.scorer.loading import from_bytes

        return from_bytes, (self._bytes(False),)


def compile(*steps: Any, example: Any = None, method: str = "auto") -> Scorer:
    """Compose callables and fitted estimators into one `Scorer`: `fuse.compile(features, model, example=df)`.

    An estimator in the middle runs `transform`. At the end it runs `method`: "auto" is `predict_proba` where
    it has one, else `predict`, else `transform`. `example`, a few rows of what the scorer will get, is
    recorded and compiled at once and gives the scorer its schema.

    Raises TypeError for a step that is neither callable nor an estimator, or lacks the method of its place.
    """
    return Scorer(steps, example, method)


def _always() -> bool:
    return True


def _head(example: Any) -> Any:
    """A few rows are enough of a schema; the user's table is not kept alive."""
    if hasattr(example, "iloc"):
        return example.iloc[:10].copy()
    return example[:10].copy() if getattr(example, "ndim", 0) and hasattr(example, "dtype") else example
