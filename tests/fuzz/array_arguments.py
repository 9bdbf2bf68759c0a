"""The arrays that a random NumPy program is called with, and how one call differs from the next.

An argument is a dtype, a shape in which "n" stands for a length that calls choose, and a layout in memory.
Later calls bring other data, lengths, layouts and dtypes, pass one array twice, or views that overlap: that
is where what was recorded goes stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tests.fuzz.data import special_values

Mood = Literal["calm", "special", "extreme", "constant", "missing"]
NUMBERS = (
    "?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "f8", "f8", "f4", "i8", "i4", "c8",
    "c16",
)  # fmt: skip
RARE = ("M8[s]", "m8[s]", "M8[ns]", "m8[ms]", "M8[D]", "O", "U3", ">f8", ">i4")
SHAPES: tuple[tuple[int | str, ...], ...] = (
    ("n",), ("n",), ("n",), ("n", 3), ("n", 3), (3, "n"), (3,), (), ("n", 1), (1, 3), (2, "n", 3), ("n", "n"),
    (3, 3), (0,), (0, 3),
)  # fmt: skip
_SIDE = 40
"""The longest side of a square."""
LAYOUTS = ("C", "C", "C", "F", "backwards", "gaps", "across", "broadcast", "readonly")


@dataclass(frozen=True)
class Argument:
    """One parameter of a program."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    layout: str


@dataclass(frozen=True)
class Call:
    """How the arguments of a call are made. `sharing`: "", "same" or "overlap", for the first two arguments;
    `turn`: how many places dtypes (and layouts) move on.
    """

    rows: int = 7
    mood: Mood = "calm"
    draw: int = 0
    sharing: str = ""
    turn_dtypes: int = 0
    turn_layouts: int = 0
    threads: int = 1


CALLS = (
    Call(),
    Call(mood="special", draw=1),
    Call(rows=12, draw=2),
    Call(sharing="same", draw=3),
    Call(sharing="overlap", draw=4),
    Call(turn_layouts=3, mood="extreme", draw=5),
    Call(rows=1, mood="special", draw=6),
    Call(rows=3, draw=7),
    Call(turn_dtypes=5, draw=8),
    Call(mood="constant", draw=9),
    Call(rows=0, draw=10),
    Call(rows=1500, mood="special", draw=11, threads=2),
    Call(mood="missing", draw=12),
    Call(draw=13),
)


def random_arguments(random: Any) -> tuple[Argument, ...]:
    """Three to five parameters; the first two are often of one kind, so that one array may be both."""
    found: list[Argument] = []
    for name in "abcde"[: random.randint(3, 5)]:
        dtype = random.choice(RARE) if random.random() < 0.07 else random.choice(NUMBERS)
        layout = random.choice(LAYOUTS) if random.random() < 0.4 else "C"
        if name == "b" and random.random() < 0.5:
            found.append(Argument("b", found[0].dtype, found[0].shape, layout))
        else:
            found.append(Argument(name, dtype, random.choice(SHAPES), layout))
    return tuple(found)


def values_of(arguments: tuple[Argument, ...], seed: int, call: Call) -> list[Any]:
    """The arrays of a call, in order; the same for the same seed and call."""
    random = np.random.default_rng((seed, call.rows, call.draw))
    found = [_array(argument, random, call) for argument in arguments]
    if call.sharing and len(found) > 1 and isinstance(found[0], np.ndarray):
        found[1] = _shared(found[0], call.sharing)
    return found


def _shared(array: np.ndarray, sharing: str) -> np.ndarray:
    if sharing == "same" or array.ndim == 0:
        return array
    return array[::-1] if array.shape[0] % 2 else array[1:]


def _array(argument: Argument, random: np.random.Generator, call: Call) -> Any:
    rows = min(call.rows, _SIDE) if argument.shape.count("n") > 1 else call.rows
    shape = tuple(rows if dim == "n" else int(dim) for dim in argument.shape)
    name = argument.dtype
    if call.turn_dtypes and name in NUMBERS:
        name = NUMBERS[(NUMBERS.index(name) + call.turn_dtypes) % len(NUMBERS)]
    layout = argument.layout
    if call.turn_layouts:
        layout = LAYOUTS[(LAYOUTS.index(layout) + call.turn_layouts) % len(LAYOUTS)]
    return _laid_out(np.array(_drawn(np.dtype(name), shape, random, call.mood)), layout)


def _drawn(dtype: np.dtype, shape: tuple[int, ...], random: np.random.Generator, mood: Mood) -> np.ndarray:
    """Quarters between -4 and 4, so that sums are exact; some moods replace a part by hard cases."""
    low = 0 if dtype.kind in "u" else -16
    quarters = random.integers(low, 17, shape)
    if mood == "constant":
        quarters = np.full(shape, 4 if dtype.kind == "u" else random.choice([0, 4, -8]))
    if dtype.kind == "c":
        parts = [_drawn(np.dtype(f"f{dtype.itemsize // 2}"), shape, random, mood) for _ in "ri"]
        found = np.empty(shape, dtype)
        found.real, found.imag = parts
        return found
    if dtype.kind in "OU":
        return np.asarray((quarters // 4).astype(dtype))
    if dtype.kind == "b":
        return np.asarray(quarters > 0)
    if dtype.kind in "mM":
        found = quarters.astype("i8").astype(dtype)
        return (
            np.where(random.random(shape) < 0.2, np.array("NaT", dtype), found) if mood != "calm" else found
        )
    ordinary = (quarters // 4 if dtype.kind in "iu" else quarters / 4).astype(dtype)
    return _spoiled(ordinary, random, mood)


def _spoiled(ordinary: np.ndarray, random: np.random.Generator, mood: Mood) -> np.ndarray:
    if mood in ("calm", "constant"):
        return ordinary
    native = ordinary.dtype.newbyteorder("=")
    if mood == "missing" and native.kind == "f":
        return np.full_like(ordinary, np.nan)
    hard = special_values(native)
    if mood == "special" and native.kind == "f":
        hard = hard[:10]
    chosen = random.random(ordinary.shape) < (0.3 if mood == "special" else 0.6)
    return np.where(chosen, hard[random.integers(0, hard.size, ordinary.shape)], ordinary).astype(
        ordinary.dtype
    )


def _laid_out(array: np.ndarray, layout: str) -> np.ndarray:
    """The same elements, otherwise in memory; a broadcast one repeats its first row."""
    match layout:
        case "F":
            return np.asfortranarray(array)
        case "backwards":
            return np.ascontiguousarray(np.flip(array))[(slice(None, None, -1),) * array.ndim]
        case "gaps" if array.ndim:
            return np.repeat(array, 2, axis=-1)[..., ::2]
        case "across" if array.ndim > 1:
            return np.ascontiguousarray(array.swapaxes(0, -1)).swapaxes(0, -1)
        case "broadcast" if array.ndim and array.shape[0]:
            return np.broadcast_to(array[:1].copy(), array.shape)
        case "readonly":
            array.flags.writeable = False
    return array
