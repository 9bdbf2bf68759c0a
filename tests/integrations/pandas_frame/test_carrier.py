"""pandas objects at the border of a recorded function: recorded on one table, replayed on others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fuse import engine
from fuse.integrations.capture.recording import Guard, LibraryStep, Recording, recording
from fuse.integrations.pandas_frame.carrier import PandasCarrier
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.types import Symbol
from tests.integrations.pandas_frame.worlds import assert_same, table

CARRIER = PandasCarrier()


class Replay:
    """A function recorded on an example; calls run the recorded graph, or say that it does not fit."""

    def __init__(self, function: Callable[[Any], Any], example: Any) -> None:
        with recording() as self.recording:
            rows = Symbol("rows")
            self.inputs = []
            for array in CARRIER.arrays(example):
                node = build.new_input(array.dtype, tuple(rows for _ in array.shape))
                self.inputs.append(self.recording.argument(array, node))
            self.result = function(CARRIER.stand_in(example, self.inputs))
            self.is_lazy = CARRIER.is_lazy(self.result)
            self.nodes = CARRIER.nodes(self.result) if self.is_lazy else [self.result._node]
            self.rebuild = CARRIER.rebuild(self.result) if self.is_lazy else lambda arrays: arrays[0][()]

    def __call__(self, value: Any) -> Any:
        bindings = dict(zip(self.inputs, CARRIER.arrays(value), strict=True)) | self.recording.surroundings
        for event in self.recording.events:
            self._run(event, bindings)
        return self.rebuild(self._values(self.nodes, bindings))

    def _run(self, event: Any, bindings: dict[Node, Any]) -> None:
        if isinstance(event, LibraryStep):
            arrays = event.function(*self._values(event.inputs, bindings))
            bindings.update(zip(event.outputs, arrays, strict=True))
        elif isinstance(event, Guard):
            (found,) = self._values([event.node], bindings)
            if not np.array_equal(found, event.value):
                raise LookupError("the plan does not fit")

    def _values(self, nodes: Sequence[Node], bindings: dict[Node, Any]) -> list[Any]:
        missing = [node for node in nodes if node not in bindings]
        found = dict(zip(missing, engine.evaluate(missing, bindings), strict=True)) if missing else {}
        return [bindings[node] if node in bindings else found[node] for node in nodes]


def tainted(record: Recording) -> str | None:
    return record.tainted


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "same": lambda df: df,
    "columns": lambda df: df[["f", "s", "c", "o", "n"]],
    "filter": lambda df: df[df["g"] > 0],
    "twice": lambda df: df[df["g"] > 0].pipe(lambda kept: kept[kept["i"] > 1]),
    "head": lambda df: df.head(3),
    "series": lambda df: df["f"] * 2 + df["i"],
    "dates": lambda df: df["t"].dt.month,
    "labels": lambda df: ((df["c"] == "x") | (df["w"] == "yy")).astype("int64"),
    "mean": lambda df: df["g"].mean(),
    "means": lambda df: df[["g", "i", "k"]].mean(),
    "centre": lambda df: df["g"] - df["g"].mean(),
    "assign": lambda df: df.assign(x=df["i"] // df["j"], y=1.5),
    "repeated": lambda df: df.assign(x=df["g"], y=df["g"]),
    "text filter": lambda df: df[df["w"] != "x"][["w", "o"]],
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("index", ["default", "named"])
def test_replay(name: str, index: str) -> None:
    def rows(count: int, seed: int) -> pd.DataFrame:
        frame = table(count, seed)
        return frame if index == "default" else frame.set_index(pd.Index(np.arange(count) * 3.5, name="row"))

    function = FUNCTIONS[name]
    replay = Replay(function, rows(64, 1))
    assert tainted(replay.recording) is None
    for count, seed in ((64, 1), (100, 2), (7, 3)):
        frame = rows(count, seed)
        before = frame.copy(deep=True)
        assert CARRIER.signature(frame) == CARRIER.signature(rows(64, 1))
        got = replay(frame)
        if isinstance(got, pd.DataFrame):
            assert_same(got, function(frame))
            for label in ("g", "x", "f"):
                if label in got and len(got):
                    got.loc[got.index[0], label] = -77.0
                    break
        elif isinstance(got, pd.Series):
            assert_same(got, function(frame))
        else:
            np.testing.assert_allclose(got, function(frame), rtol=1e-12)
        pd.testing.assert_frame_equal(frame, before)


STEPS: dict[str, Callable[[Any], Any]] = {
    "sort": lambda df: df.sort_values("g")[["g", "i"]] * 2,
    "cumsum": lambda df: df["g"].cumsum() + 1,
    "median": lambda df: df["g"] - df["g"].median(),
    "rank": lambda df: df[["g", "i"]].rank(),
}


@pytest.mark.parametrize("name", STEPS)
def test_methods_of_pandas_are_steps(name: str) -> None:
    function = STEPS[name]
    replay = Replay(function, table(64, 1))
    assert tainted(replay.recording) is None
    assert any(isinstance(event, LibraryStep) for event in replay.recording.events)
    assert_same(replay(table(64, 5)), function(table(64, 5)))


def test_guards_of_data_dependent_dtypes() -> None:
    def divide(df: Any) -> Any:
        return df["a"] // df["b"]

    replay = Replay(divide, pd.DataFrame({"a": [7, 8], "b": [2, 3]}))
    assert_same(replay(pd.DataFrame({"a": [9], "b": [2]})), pd.Series([4]))
    with pytest.raises(LookupError):
        replay(pd.DataFrame({"a": [9], "b": [0]}))


def test_observations_taint() -> None:
    for observe in (lambda df: repr(df), lambda df: df["g"].tolist(), lambda df: df.groupby("i")["g"].sum()):
        with recording() as record:
            frame = table(10)
            rows = Symbol("rows")
            arrays = CARRIER.arrays(frame)
            nodes = [
                record.argument(a, build.new_input(a.dtype, tuple(rows for _ in a.shape))) for a in arrays
            ]
            observe(CARRIER.stand_in(frame, nodes))
            assert tainted(record) is not None


def test_signature() -> None:
    frame = table()
    other = {
        "label": frame.rename(columns={"f": "z"}),
        "dtype": frame.astype({"i": "int32"}),
        "categories": frame.assign(c=frame["c"].cat.add_categories("new")),
        "order": frame[frame.columns[::-1]],
        "missing text": frame.assign(w=frame["s"]),
        "index": frame.set_index(pd.Index(range(1, 258))),
        "fewer": frame.drop(columns="f"),
        "series": frame["f"],
    }
    assert CARRIER.signature(frame) == CARRIER.signature(table(100, 4))
    assert CARRIER.signature(frame["f"]) != CARRIER.signature(frame["f"].rename("g"))
    for what, changed in other.items():
        assert CARRIER.signature(changed) != CARRIER.signature(frame), what


def test_arrays_are_not_copied() -> None:
    frame = table()
    arrays = CARRIER.arrays(frame[["f", "i", "t", "c"]])
    for array, label in zip(arrays, ["f", "i", "t"], strict=False):
        assert np.shares_memory(array, frame[label].to_numpy())
    assert np.shares_memory(arrays[3], frame["c"].array.codes)
