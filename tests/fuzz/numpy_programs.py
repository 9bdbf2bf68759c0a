"""Random NumPy programs of up to 30 statements, grown line by line on real values.

A line is a template of `numpy_lines` whose holes are filled with what fits the values that are there. A line
that raises is mostly left out; a few are kept in a `try`, and fewer as the program's end.
"""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.fuzz.array_arguments import Argument, Call, random_arguments, values_of
from tests.fuzz.known import Line, Tracer
from tests.fuzz.numpy_lines import SMOOTH, STATEMENTS, TABLES

NUMBERS = (
    "0", "1", "2", "-1", "3", "7", "0.5", "-0.5", "1.5", "-0.0", "255", "True", "2.0", "100", "-3",
    "np.float32(0.25)", "np.int8(5)", "np.float64(2.5)", "np.nan", "np.inf", "np.uint8(3)", "1j", "300",
)  # fmt: skip
DTYPES = (
    "'f8'", "'f4'", "'i8'", "'i4'", "'i2'", "'i1'", "'u1'", "'u2'", "'u4'", "'u8'", "'f2'", "bool",
    "'c16'", "int", "float",
)  # fmt: skip
_HOLE = re.compile(r"\{(\w+)\}")
_LARGEST = 20000
"""Elements a value may have, so that outer products do not pile up."""


@dataclass(frozen=True)
class NumpyProgram:
    """A function of NumPy arrays: parameters, lines, and the variables that it returns."""

    seed: int
    arguments: tuple[Argument, ...]
    lines: tuple[Line, ...]
    returned: tuple[str, ...]

    @property
    def source(self) -> str:
        text = "\n".join(line.source for line in self.lines)
        body = "".join(f"    {line}\n" for line in text.split("\n") if line)
        names = "".join(f"{name}, " for name in self.returned)
        return f"def program({', '.join(a.name for a in self.arguments)}):\n{body}    return ({names})\n"


def random_numpy_program(seed: int, steps: int = 30) -> NumpyProgram:
    """The program of a seed."""
    source = random.Random(seed)
    arguments = random_arguments(source)
    scope: dict[str, Any] = {"np": np}
    scope.update(zip((a.name for a in arguments), values_of(arguments, seed, Call()), strict=True))
    growth = _Growth(source, arguments, Tracer(scope))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for _ in range(source.randint(2, steps)):
            if not growth.grow():
                break
    return NumpyProgram(seed, arguments, tuple(growth.lines), _returned(growth))


def _returned(growth: _Growth) -> tuple[str, ...]:
    names = growth.made or [growth.arguments[0].name]
    count = growth.random.choice((1, 2, 3, 6, 6, 30))
    chosen = growth.random.sample(names, min(len(names), count))
    if growth.random.random() < 0.2:
        chosen.append(growth.random.choice(growth.arguments).name)
    return tuple(dict.fromkeys(chosen))


@dataclass
class _Growth:
    """A program on its way."""

    random: random.Random
    arguments: tuple[Argument, ...]
    tracer: Tracer
    lines: list[Line] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    def grow(self) -> bool:
        """One more line, if one fits; False when the program ends with an exception."""
        table, _ = self.random.choices(TABLES, weights=[weight for _, weight in TABLES])[0]
        template = self.random.choice(table)
        filled = _Filling(self, template).fill()
        return True if filled is None else self._accept(filled, template)

    def _accept(self, filled: _Filled, template: str) -> bool:
        name = f"x{len(self.made)}"
        is_statement = template in STATEMENTS
        text = filled.text.replace("\0", name)
        if "\0" not in filled.text and not is_statement:
            text = f"{name} = {text}"
        made = "" if is_statement else name
        line = Line(text, made, filled.written, template in SMOOTH, frozenset(filled.deciding))
        before = self.tracer.scope.copy()
        try:
            self.tracer.run(line)
        except SyntaxError:  # a number where the template thinks of an array
            return True
        except Exception:  # noqa: BLE001  # whatever it is, the program may want to raise it
            self.tracer.scope.clear()
            self.tracer.scope.update(before)
            return self._refused(line)
        if made and not _fits(self.tracer.scope.get(name)):
            self.tracer.scope.pop(name, None)
            return True
        self._keep(line)
        return True

    def _keep(self, line: Line) -> None:
        self.lines.append(line)
        if line.made:
            self.made.append(line.made)

    def _refused(self, line: Line) -> bool:
        """Few of the lines that raise are kept; one in ten of these ends the program."""
        if self.random.random() > 0.12:
            return True
        if self.random.random() < 0.1:
            self.lines.append(line)
            return False
        caught = Line(line.text, line.made, line.written, line.smooth, line.deciding, caught=True)
        self.tracer.run(caught)
        self._keep(caught)
        return True

    def arrays(self) -> list[tuple[str, Any]]:
        names = [a.name for a in self.arguments] + self.made
        return [(n, v) for n in names if isinstance(v := self.tracer.scope.get(n), np.ndarray | np.generic)]

    def is_exact(self, name: str) -> bool:
        return not self.tracer.known.get(name, 0)


def _fits(value: Any) -> bool:
    return not isinstance(value, np.ndarray) or (value.size <= _LARGEST and value.ndim <= 5)


@dataclass
class _Filled:
    text: str
    written: str
    deciding: set[str]


class _Filling:
    """The holes of one template."""

    def __init__(self, growth: _Growth, template: str) -> None:
        self.growth, self.template = growth, template
        self.random = growth.random
        self.anchor: Any = None
        self.texts: dict[str, str] = {}
        self.written = ""
        self.deciding: set[str] = set()
        self.smooth = template in SMOOTH

    def fill(self) -> _Filled | None:
        """None when something fits a hole nowhere."""
        found: list[str] = []
        text = self.template.replace("{{", "\1").replace("}}", "\2")
        for hole in _HOLE.findall(text):
            piece = "\0" if hole == "new" else self._piece(hole)
            if piece is None:
                return None
            found.append(piece)
        pieces = iter(found)
        text = _HOLE.sub(lambda _: next(pieces), text)
        return _Filled(text.replace("\1", "{").replace("\2", "}"), self.written, self.deciding)

    def _piece(self, hole: str) -> str | None:
        if hole in _PLAIN:
            return str(self.random.choice(_PLAIN[hole]))
        if hole in _SHAPED:
            return _SHAPED[hole](self)
        if (
            hole in ("w", "e", "x", "A")
            and hole in self.texts
            and (hole in "we" or self.random.random() < 0.6)
        ):
            return self.texts[hole]
        text = self._array(hole)
        if text is not None:
            self.texts.setdefault(hole, text)
        return text

    def _array(self, hole: str) -> str | None:
        """A variable that fits; the first one chosen is the anchor."""
        if hole in ("y", "b"):
            return self._operand(hole)
        fits = _FITS[hole]
        found = [(text, value) for text, value in self.growth.arrays() if fits(value)]
        if not self.smooth and self.random.random() < 0.93:
            found = [(text, value) for text, value in found if self.growth.is_exact(text)]
        if self.anchor is not None and self.random.random() < 0.9:
            same = [(text, value) for text, value in found if value.shape == self.anchor.shape]
            found = same or found
        if not found:
            return None
        newest = found[-5:] if self.random.random() < 0.5 else found
        text, value = self.random.choice(newest)
        self.anchor = value if self.anchor is None else self.anchor
        if hole == "w":
            self.written = text
        return text

    def _operand(self, hole: str) -> str | None:
        if self.anchor is None or self.random.random() < 0.3:
            return self.random.choice(NUMBERS)
        found = [text for text, value in self.growth.arrays() if self._broadcasts(value, hole)]
        if not self.smooth:
            found = [text for text in found if self.growth.is_exact(text)]
        return self.random.choice(found) if found else self.random.choice(NUMBERS)

    def _broadcasts(self, value: Any, hole: str) -> bool:
        if value.dtype.kind not in "biufc" and self.random.random() < 0.9:
            return False
        try:
            shape = np.broadcast_shapes(np.shape(value), np.shape(self.anchor))
        except ValueError:
            return self.random.random() < 0.02
        return hole == "y" or shape == np.shape(self.anchor)

    # holes that are made for the anchor

    def mask(self) -> str:
        shape = np.shape(self.anchor)
        arrays = [(n, v) for n, v in self.growth.arrays() if self.growth.is_exact(n)]
        ready = [n for n, v in arrays if v.dtype == bool and v.shape == shape]
        if ready and self.random.random() < 0.4:
            text = self.random.choice(ready)
        else:
            alike = [n for n, v in arrays if v.shape == shape and v.dtype.kind in "biuf"]
            if not alike:
                return f"np.ones({shape}, bool)"
            name = self.random.choice(alike)
            relation = self.random.choice((">", "<", "!=", "=="))
            text = f"({name} {relation} {self.random.choice(('0', '1', name))})"
        self.deciding |= set(re.findall(r"\b(?:x\d+|[a-e])\b", text))
        return text

    def slices(self) -> str:
        entries = [self._slice(length) for length in np.shape(self.anchor)]
        kept = entries[: self.random.randint(min(1, len(entries)), len(entries))]
        if self.random.random() < 0.15:
            kept.insert(self.random.randint(0, len(kept)), self.random.choice(("...", "None")))
        return ", ".join(kept) or "..."

    def _slice(self, length: int) -> str:
        choose = self.random.choice
        if self.random.random() < 0.25:
            return str(self.random.randint(-length, max(length - 1, 0)))
        start, stop = choose(("", "", "1", "2", "-2", "-3", "5")), choose(("", "", "-1", "3", "9", "1"))
        return f"{start}:{stop}{choose(('', '', ':2', ':-1', ':-2', ':1'))}"

    def index(self) -> str:
        kind = self.random.randrange(5)
        rank = len(np.shape(self.anchor))
        if kind == 0 or not rank:
            return self.slices()
        if kind == 1:
            return self.mask()
        places = self.places()
        if kind == 2 or rank == 1:
            return places
        rows, columns = np.shape(self.anchor)[:2]
        if kind == 3:
            return f"{self._slice(rows)}, {self._places(columns)}"
        count = self.random.randint(1, 3)
        return f"{self._places(rows, count)}, {self._places(columns, count)}"

    def places(self) -> str:
        shape = np.shape(self.anchor)
        return self._places(shape[0] if shape else 0)

    def _places(self, length: int, count: int | None = None) -> str:
        high = max(length - 1, 0) + (self.random.random() < 0.02)
        found = [self.random.randint(-length, high) for _ in range(count or self.random.randint(1, 4))]
        if self.random.random() < 0.2 and count is None:
            return f"np.array([{found}, {found}])"
        return self.random.choice((f"{found}", f"np.array({found})", f"np.array({found}, 'i4')"))

    def axis(self) -> str:
        rank = len(np.shape(self.anchor))
        return str(self.random.randint(-rank, max(rank - 1, 0))) if self.random.random() < 0.97 else "3"

    def parameters(self) -> str:
        rank = len(np.shape(self.anchor))
        axis = [f"axis={self.axis()}", "axis=None", ""]
        if rank > 1:
            axis += ["axis=(0, 1)", "axis=(-1, 0)", f"axis={self.axis()}"]
        return ", ".join(
            part for part in (self.random.choice(axis), self.random.choice(("", "", "keepdims=True"))) if part
        )

    def shape(self) -> str:
        size = int(np.size(self.anchor))
        shape = np.shape(self.anchor)
        sizes = [
            f"({shape[0] if shape else 1}, -1)",
            "-1",
            "(1, -1)",
            "(-1, 1)",
            f"({size},)",
            f"{tuple(reversed(shape))}",
        ]
        sizes += [f"(-1, {n})" for n in (2, 3) if size % n == 0 and size]
        return self.random.choice(sizes)


_PLAIN = {
    "c": NUMBERS, "t": DTYPES, "q": (0, 1, -1, 2, 3, -5),
    "o": ("+", "-", "*"), "u": ("np.abs", "np.negative", "np.square"),
}  # fmt: skip
_SHAPED: dict[str, Callable[[_Filling], str]] = {
    "m": _Filling.mask, "s": _Filling.slices, "h": _Filling.index, "n": _Filling.places, "a": _Filling.axis,
    "r": _Filling.parameters, "e": _Filling.shape,
}  # fmt: skip


def _of(kinds: str, least: int = 0, most: int = 9) -> Callable[[Any], bool]:
    return lambda value: value.dtype.kind in kinds and least <= value.ndim <= most


_FITS: dict[str, Callable[[Any], bool]] = {
    "x": _of("biufcmMOU"), "f": _of("f"), "i": _of("iu"), "k": _of("b"), "z": _of("c"), "d": _of("M"),
    "p": _of("m"),
    "v": _of("biufcmM", 1, 1), "A": _of("biufcmM", 2),
    "w": lambda value: isinstance(value, np.ndarray) and value.flags.writeable,
}  # fmt: skip
