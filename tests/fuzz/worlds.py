"""One program in three worlds: the plain libraries, `fuse.jit`, and fuse's own modules in their place.

`complaint` says what differs: values, dtypes, shapes, labels, exceptions, or what became of the arguments.
"""

from __future__ import annotations

import linecache
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

import fuse
import fuse.numpy as fnp
import fuse.pandas as fpd
from fuse import config
from tests.fuzz.compare import same_bits
from tests.fuzz.programs import ARGUMENTS, UserProgram
from tests.fuzz.tables import Mood, arguments

CALLS: tuple[tuple[int, Mood, int], ...] = (
    (23, "clean", 1),
    (23, "clean", 3),
    (1500, "clean", 1),
    (23, "broken", 1),
    (40, "low", 1),
    (40, "high", 1),
    (20000, "broken", 3),
    (1, "clean", 1),
    (0, "clean", 1),
    (23, "clean", 1),
)
"""Rows, mood and threads of the calls of one jitted function, in order."""


def function(source: str, modules: Mapping[str, Any], name: str) -> Callable[..., Any]:
    """The function `program` of a source, with its lines known to tracebacks."""
    file = f"/fuzz/{name}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    scope = dict(modules)
    exec(compile(source, file, "exec"), scope)
    found: Callable[..., Any] = scope["program"]
    return found


def outcome(run: Callable[..., Any], values: list[Any]) -> Any:
    """What a call gives: its result, or the exception."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return run(*values)
        except fuse.FuseError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what we compare
            return error


def complaint(
    program: UserProgram, models: Mapping[str, Any] | None = None, calls: Any = CALLS
) -> str | None:
    """What differs, or None."""
    plain = function(program.source, {"np": np, "pd": pd, **(models or {})}, f"plain{program.seed}")
    jitted = fuse.jit(function(program.source, {"np": np, "pd": pd, **(models or {})}, f"jit{program.seed}"))
    faces = function(program.source, {"np": fnp, "pd": fpd, **(models or {})}, f"face{program.seed}")
    with config.config(raise_internal=True, min_rows=1, eager_bytes=0):
        for number, (rows, mood, threads) in enumerate(calls):
            found = _one_call(program, plain, jitted, "jit", rows, mood, threads)
            if found is None and number in (0, 3, 4):
                found = _one_call(program, plain, faces, "face", rows, mood, threads)
            if found is not None:
                return f"call {number} ({rows} {mood} rows, {threads} threads): {found}"
    return None


def _one_call(
    program: UserProgram, plain: Any, ours: Any, world: str, rows: int, mood: Mood, threads: int
) -> str | None:
    mine, theirs = (list(arguments(program.seed, rows, mood, program.layout).values()) for _ in range(2))
    expected = outcome(plain, theirs)
    with config.config(num_threads=threads):
        try:
            if world == "face":
                mine = [_lazy(value) for value in mine]
                found = _real(outcome(ours, mine))
                mine = [_real(value) for value in mine]
            else:
                found = outcome(ours, mine)
        except Exception as error:  # noqa: BLE001
            causes = " <- ".join(_causes(error))
            return f"{world} failed: {causes}"
    slack = _slack(program)
    loose = [slack if name in program.inexact else 0.0 for name in program.returned]
    if isinstance(expected, Exception) or isinstance(found, Exception):
        said = same_exception(expected, found)
    else:
        left = _items(expected, program)
        right = _items(found, program)
        said = next(
            (
                f"{name}: {text}"
                for name, e, f, slack in zip(program.returned, left, right, loose, strict=True)
                if (text := difference(e, f, slack))
            ),
            None,
        )
    if said is None:
        said = next(
            (
                f"argument {name} afterwards: {text}"
                for name, e, f in zip(ARGUMENTS, theirs, mine, strict=True)
                if (text := difference(e, f, slack if name in program.inexact else 0.0))
            ),
            None,
        )
    return None if said is None else f"{world}: {said}"


def _slack(program: UserProgram) -> float:
    """How far inexact values may be off: what the narrowest floats in the program carry."""
    text = "\n".join(program.lines)
    if re.search(r"float16|\bh\b", text):
        return 1e-2
    narrow = r"'e'|float32|'f4'|\bv\b|describe|select_dtypes|dropna|\.columns"
    return 1e-4 if re.search(narrow, text) else 1e-11


def _causes(error: BaseException | None) -> list[str]:
    found = []
    while error is not None:
        found.append(f"{type(error).__name__}: {error}")
        error = error.__cause__ or error.__context__
    return found


def _lazy(value: Any) -> Any:
    return fpd.from_pandas(value) if isinstance(value, pd.DataFrame) else fnp.array(value)


def _real(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(map(_real, value))
    if isinstance(value, dict):
        return {key: _real(item) for key, item in value.items()}
    found = fuse.evaluate(value)
    return found[()] if isinstance(found, np.ndarray) and isinstance(value, np.generic) else found


def _items(value: Any, program: UserProgram) -> list[Any]:
    if program.form == "dict":
        return list(value.values())
    return [value] if program.form == "single" and len(program.returned) == 1 else list(value)


def same_exception(expected: Any, found: Any) -> str | None:
    """Whether both raised alike."""
    if isinstance(expected, Exception) != isinstance(found, Exception):
        return f"expected {expected!r}, found {found!r}"[:2000]
    if type(expected) is not type(found) or str(expected) != str(found):
        return f"expected {expected!r}, found {found!r}"
    return None


def difference(expected: Any, found: Any, slack: float) -> str | None:
    """How two results differ; floats may by `slack` of the largest, if it is not 0."""
    if isinstance(expected, float) and isinstance(found, float) and expected != expected and found != found:
        return None  # of nothing pandas gives math.nan or NumPy's, as its paths happen to go
    if type(expected) is not type(found):
        return f"a {type(expected).__name__} became a {type(found).__name__}: {expected!r} {found!r}"[:1500]
    if isinstance(expected, pd.DataFrame):
        return _frames(expected, found, slack)
    if isinstance(expected, pd.Series):
        return _columns(expected, found, slack)
    if isinstance(expected, np.ndarray | np.generic):
        return _arrays(np.asarray(expected), np.asarray(found), slack)
    if isinstance(expected, tuple | list):
        return _sequences(expected, found, slack)
    if isinstance(expected, dict):
        if list(expected) != list(found):
            return f"keys {list(expected)} and {list(found)}"
        return _sequences(list(expected.values()), list(found.values()), slack)
    if isinstance(expected, float):
        return _arrays(np.asarray(expected), np.asarray(found), slack)
    same = expected is found or expected == found or (expected != expected and found != found)
    return None if same else f"{expected!r} became {found!r}"


def _sequences(expected: Any, found: Any, slack: float) -> str | None:
    if len(expected) != len(found):
        return f"{len(expected)} items became {len(found)}"
    pairs = enumerate(zip(expected, found, strict=True))
    return next((f"[{n}] {text}" for n, (e, f) in pairs if (text := difference(e, f, slack))), None)


def _frames(expected: pd.DataFrame, found: pd.DataFrame, slack: float) -> str | None:
    said = _indexes(expected.columns, found.columns, "columns") or _indexes(
        expected.index, found.index, "index"
    )
    if said:
        return said
    for place in range(expected.shape[1]):
        said = _columns(expected.iloc[:, place], found.iloc[:, place], slack)
        if said:
            return f"column {expected.columns[place]!r}: {said}"
    return None


def _columns(expected: pd.Series, found: pd.Series, slack: float) -> str | None:
    if expected.dtype != found.dtype:
        return f"dtype {expected.dtype} became {found.dtype}"
    if expected.name != found.name and not (expected.name is None and found.name is None):
        return f"name {expected.name!r} became {found.name!r}"
    said = _indexes(expected.index, found.index, "index")
    if said:
        return said
    if isinstance(expected.dtype, np.dtype) and expected.dtype.kind != "O":
        return _arrays(expected.to_numpy(), found.to_numpy(), slack)
    try:
        pd.testing.assert_series_equal(expected, found)
    except AssertionError as error:
        return str(error)
    return None


def _indexes(expected: pd.Index, found: pd.Index, what: str) -> str | None:
    try:
        pd.testing.assert_index_equal(expected, found, exact=True)
    except AssertionError as error:
        return f"{what}: {error}"
    if expected.name != found.name:
        return f"{what}: name {expected.name!r} became {found.name!r}"
    return None


def _arrays(expected: np.ndarray, found: np.ndarray, slack: float) -> str | None:
    if expected.dtype != found.dtype or expected.shape != found.shape:
        return f"{expected.dtype}{expected.shape} became {found.dtype}{found.shape}"
    if expected.dtype.kind in "Mm":
        expected, found = expected.view("i8"), found.view("i8")
    if expected.dtype.kind == "O":
        return None if repr(expected.tolist()) == repr(found.tolist()) else f"{expected!r} became {found!r}"
    if same_bits(expected, found) or (
        slack and expected.dtype.kind in "fc" and _near(expected, found, slack)
    ):
        return None
    return _first(expected, found)


def _near(expected: np.ndarray, found: np.ndarray, slack: float) -> bool:
    """Within a part of the largest finite value; infinities and NaN where they belong."""
    if not np.array_equal(np.isfinite(expected), np.isfinite(found)):
        return False
    finite = np.isfinite(expected)
    if not np.array_equal(expected[~finite], found[~finite], equal_nan=True):
        return False
    rtol = max(slack, 64 * float(np.finfo(expected.dtype).eps))
    left, right = expected[finite].astype("f8"), found[finite].astype("f8")
    scale = np.abs(left).max(initial=0.0)
    return bool((np.abs(left - right) <= rtol * np.maximum(np.abs(left), max(1.0, scale))).all())


def _first(expected: np.ndarray, found: np.ndarray) -> str:
    left, right = expected.ravel(), found.ravel()
    differs = [n for n in range(left.size) if not same_bits(left[n : n + 1], right[n : n + 1])]
    place = differs[0]
    return (
        f"{expected.dtype}{expected.shape}: {len(differs)} differ, first at {place}: "
        f"{left[place]!r} became {right[place]!r}"
    )
