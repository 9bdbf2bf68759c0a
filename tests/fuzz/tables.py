"""Arguments for random programs: a frame of many dtypes, vectors and matrices, in several moods.

The mood decides what the data hold: `clean` data have nothing missing, `broken` ones have NaN, NaT,
infinities, zeros and categories that no other mood has, `low` and `high` ones lose or keep every row of the
usual filters.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

Mood = Literal["clean", "broken", "low", "high"]
WORDS = ("red", "green", "blue", "", "Ünï", "long enough to be no short string")
UNITS = ("ns", "us", "ms", "s")


def arguments(seed: int, rows: int, mood: Mood, layout: int) -> dict[str, Any]:
    """The arguments of one call. `layout` fixes what a signature holds: units, index, order in memory."""
    random = np.random.default_rng((seed, rows, len(mood), ord(mood[0])))
    frame = _frame(random, rows, mood, layout)
    matrix = random.normal(size=(rows, 3))
    vector = random.normal(size=rows).astype(("f8", "f4")[layout % 2])
    vector = _in_mood(vector, random, mood)
    return {
        "df": frame,
        "v": _laid_out(vector, layout),
        "M": _laid_out(_in_mood(matrix.ravel(), random, mood).reshape(matrix.shape), layout),
        "W": random.normal(size=(3, 2)),
        "k": np.arange(3.0) - 1,
        "q": random.integers(-100, 100, rows).astype(("i8", "i4", "i2")[layout % 3]),
        "h": _in_mood(random.normal(size=rows).astype("f2"), random, mood),
        "z": random.integers(0, 250, rows).astype(("u1", "u4", "u8")[layout % 3]),
    }


def _frame(random: np.random.Generator, rows: int, mood: Mood, layout: int) -> pd.DataFrame:
    span = {"clean": (-50, 50), "broken": (-50, 50), "low": (-50, -1), "high": (1, 50)}[mood]
    words = [*WORDS, None] if mood == "broken" else WORDS
    seconds = random.integers(-(10**9), 2 * 10**9, rows)
    floats = {name: random.uniform(*span, size=rows) for name in ("a", "b")}
    unit = UNITS[layout % 4]
    when = pd.Series(seconds.astype("M8[s]").astype(f"M8[{unit}]"))
    wait = pd.Series((random.integers(-(10**6), 10**6, rows)).astype("m8[s]").astype(f"m8[{unit}]"))
    colours = pd.Categorical.from_codes(
        random.integers(-1 if mood == "broken" else 0, 3, rows), list(_categories(mood, layout))
    )
    j = random.integers(*((-2, 3) if mood == "broken" else (1, 5)), rows).astype("i4")
    frame = pd.DataFrame({
        "a": _in_mood(floats["a"], random, mood),
        "b": _in_mood(np.round(floats["b"]), random, mood),
        "e": _in_mood(random.normal(size=rows).astype("f4"), random, mood),
        "i": random.integers(*span, size=rows),
        "j": j,
        "t": random.integers(-128, 128, rows).astype("i1"),
        "u": random.integers(0, 256, rows).astype("u1"),
        "m": random.random(rows) < {"clean": 0.5, "broken": 0.5, "low": -1, "high": 2}[mood],
        "s": pd.Series([words[n] for n in random.integers(0, len(words), rows)], dtype="str"),
        "g": colours,
        "d": when.mask(random.random(rows) < 0.2) if mood == "broken" else when,
        "w": wait.mask(random.random(rows) < 0.2) if mood == "broken" else wait,
    })  # fmt: skip
    return _indexed(frame, layout)


def _categories(mood: Mood, layout: int) -> tuple[str, ...]:
    return ("x", "other", "y") if mood == "broken" and layout % 2 else ("x", "y", "zed")


def _indexed(frame: pd.DataFrame, layout: int) -> pd.DataFrame:
    rows = len(frame)
    kind = layout % 5
    if kind == 1:
        frame.index = pd.Index(np.arange(rows)[::-1] * 3)
    elif kind == 2:
        frame.index = pd.Index([f"r{n}" for n in range(rows)], name="key")
    elif kind == 3:
        frame.index = pd.RangeIndex(5, 5 + 2 * rows, 2, name="n")
    return frame


def _in_mood(values: np.ndarray, random: np.random.Generator, mood: Mood) -> np.ndarray:
    if mood in ("low", "high"):
        return (
            -np.abs(values) - values.dtype.type(0.5)
            if mood == "low"
            else np.abs(values) + values.dtype.type(0.5)
        )
    if mood == "broken":
        special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0], values.dtype)
        chosen = random.random(len(values)) < 0.4
        return np.where(chosen, special[random.integers(0, len(special), len(values))], values)
    return values


def _laid_out(array: np.ndarray, layout: int) -> np.ndarray:
    """The same numbers, in C or Fortran order, with gaps, or backwards in memory."""
    kind = layout % 7
    if kind == 1 and array.ndim == 2:
        return np.asfortranarray(array)
    if kind == 2:
        return np.repeat(array, 2, axis=0)[::2]
    if kind == 3:
        return array[::-1].copy()[::-1]
    return array
