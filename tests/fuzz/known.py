"""How well each value of a program is known: exactly, nearly, up to the sign of its zeros, or not at all.

A transcendental function or a float sum makes its result nearly known; a smooth line keeps it so, any other
line makes of it what nobody can tell. NumPy itself leaves open which of two zeros `maximum` takes (it depends
on the place in its vectors) and what a float beyond an unsigned integer becomes (C leaves it open, and
NumPy's own loops disagree). A `Tracer` runs the plain program line by line and notes this, on the call's own
data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

EXACT, NEAR, SIGN, OPEN, WILD = 0, 1, 2, 4, 8
"""Bits: nearly known, zeros of either sign, any values of the same dtype and shape, any shape."""

_INEXACT = re.compile(
    r"\b(exp|exp2|expm1|log|log1p|log2|log10|sin|cos|tan|tanh|sinh|arc\w+|cbrt|hypot|logaddexp|degrees|sinc|sum|sum\w*|mean|std|"
    r"var|prod|cumsum|cumprod|nan(sum|mean|std|var|prod|cumsum|cumprod|median)|median|percentile|quantile|dot|vdot|inner|"
    r"tensordot|einsum|trace|norm|cross|convolve|average|corrcoef|cov|gradient|trapezoid|interp|power|float_power|"
    r"angle|polyval|kron|vander|unwrap|cumulative_sum|matvec|vecdot|reduce|accumulate|reduceat|apply_along_axis|linspace|isclose|"
    r"allclose|histogram|modf)\b|\*\* |@"
)
_TIES = re.compile(r"max|min|clip|ptp|piecewise")
_SEES_SIGN = re.compile(
    r"/|%|divmod|copysign|signbit|nextafter|arctan2|reciprocal|\*\*|power|view|angle|heaviside|spacing|unique|"
    r"divide|remainder|fmod|round|sort|around|tolist|item"
)
_SEES_SHAPE = re.compile(
    r"\[|unique|nonzero|where\(|compress|extract|repeat|bincount|^if |trim|union|_row| if "
)
_NAMES = re.compile(r"\b(?:x\d+|[a-e])\b")


@dataclass(frozen=True)
class Line:
    """A statement: its text, the variable it makes or writes to, what decides about places in it."""

    text: str
    made: str = ""
    written: str = ""
    smooth: bool = False
    deciding: frozenset[str] = frozenset()
    caught: bool = False

    @property
    def used(self) -> frozenset[str]:
        return frozenset(_NAMES.findall(self.text))

    @property
    def source(self) -> str:
        """The statement; a caught one makes the exception's type its value."""
        if not self.caught:
            return self.text
        body = "\n".join(f"    {line}" for line in self.text.split("\n"))
        name = self.made or "_"
        return f"try:\n{body}\nexcept Exception as _error:\n    {name} = type(_error).__name__"


class Tracer:
    """The plain program's variables, and how well each is known."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope = scope
        self.known: dict[str, int] = {}
        self.peak = 1.0

    def run(self, line: Line) -> None:
        """Execute a line; it raises what the line raises."""
        used = [name for name in line.used if name in self.scope and name != line.made]
        bits = 0
        for name in used:
            bits |= self.known.get(name, 0)
        decided = any(self.known.get(name, 0) & ~SIGN for name in line.deciding)
        out_of_range = self._leaves_range(used)
        exec(line.source, self.scope)
        results = [n for n in (line.made, line.written) if n in self.scope]
        for name in results:
            self._note(name, line, bits, decided, used, out_of_range)

    def _note(
        self, name: str, line: Line, bits: int, decided: bool, used: Iterable[str], out_of_range: bool
    ) -> None:
        value = self.scope[name]
        kinds = _kinds(value)
        found = _after(line, bits, decided)
        if kinds & set("fc"):
            if _INEXACT.search(line.text):
                found |= NEAR
            if _TIES.search(line.text) and _has_zero(value):
                found |= SIGN
        elif not found & (OPEN | WILD):
            found = OPEN if found & NEAR else 0
        if out_of_range and "u" in kinds:
            found |= OPEN
        if found & NEAR:
            self.peak = max([self.peak, _largest(value), *(_largest(self.scope[n]) for n in used)])
        self._set(name, found, was_written=name == line.written)

    def _set(self, name: str, bits: int, was_written: bool) -> None:
        if not was_written:
            self.known[name] = bits
            return
        value = self.scope[name]
        for other, array in self.scope.items():
            if (
                isinstance(array, np.ndarray)
                and isinstance(value, np.ndarray)
                and np.may_share_memory(array, value)
            ):
                self.known[other] = self.known.get(other, 0) | bits

    def _leaves_range(self, used: Iterable[str]) -> bool:
        """Whether some float is none that every unsigned integer holds."""
        for name in used:
            value = self.scope[name]
            if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fc" and np.size(value):
                real = np.real(value)
                if not bool(((real > -1) & (real < 256)).all()):
                    return True
        return False


def _after(line: Line, bits: int, decided: bool) -> int:
    """What the line makes of operands known like this."""
    if not bits and not decided:
        return 0
    if decided:
        return bits | OPEN | WILD
    if line.smooth:
        return bits
    if bits == SIGN and not _SEES_SIGN.search(line.text):
        return bits
    return bits | OPEN | (WILD if _SEES_SHAPE.search(line.text) else 0)


def _kinds(value: Any) -> set[str]:
    if isinstance(value, np.ndarray | np.generic):
        return {value.dtype.kind}
    if isinstance(value, list | tuple):
        return set().union(*map(_kinds, value)) if value else set()
    return {"f"} if isinstance(value, float | complex) else {"O"}


def _has_zero(value: Any) -> bool:
    return bool(np.any(np.asarray(value) == 0)) if isinstance(value, np.ndarray | np.generic) else True


def _largest(value: Any) -> float:
    """The largest finite magnitude."""
    if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "fciu":
        return 0.0
    with np.errstate(all="ignore"):
        size = np.abs(np.asarray(value, "c16" if value.dtype.kind == "c" else "f8"))
    return float(np.max(size, where=np.isfinite(size), initial=0.0))
