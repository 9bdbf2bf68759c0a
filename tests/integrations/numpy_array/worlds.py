"""One program in several worlds: NumPy, and fuse at once, lazily, and inside a recording.

A program is a function of the module `np` and of arrays. `check` runs it everywhere and compares results,
dtypes, shapes, exceptions, and what became of the arrays it was given.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import fuse.numpy as fnp
from fuse import config
from fuse.integrations.capture.recording import SharedWrite, SymbolicMismatch, inside, recording
from fuse.integrations.capture.values import values
from fuse.integrations.numpy_array.base import LazyArray, from_array
from fuse.integrations.numpy_array.carrier import CARRIER
from fuse.ir import build
from fuse.ir.types import Shape, Symbol
from tests.fuzz.compare import same_bits, within_ulps

Program = Callable[..., Any]


class Raised:
    """An exception as a result."""

    def __init__(self, error: BaseException) -> None:
        self.kind, self.message = type(error), str(error)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Raised) and (self.kind, self.message) == (other.kind, other.message)

    def __repr__(self) -> str:
        return f"{self.kind.__name__}({self.message!r})"


def _run(program: Program, module: Any, arrays: Sequence[Any]) -> Any:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            return program(module, *arrays)
        except (Exception, SharedWrite, SymbolicMismatch) as error:  # noqa: BLE001  # it is what we compare
            return Raised(error)


def in_numpy(program: Program, arrays: Sequence[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    """The oracle: the result and the arrays afterwards."""
    own = [array.copy() for array in arrays]
    return _run(program, np, own), own


def at_once(program: Program, arrays: Sequence[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    """fuse on small arrays: NumPy computes each step."""
    own = [from_array(array.copy()) for array in arrays]
    return real(_run(program, fnp, own)), [real(array) for array in own]


def lazily(program: Program, arrays: Sequence[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    """fuse with every step recorded, whatever the size."""
    with config.config(min_rows=0, raise_internal=True):
        return at_once(program, arrays)


def recorded(program: Program, arrays: Sequence[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    """As `fuse.jit` runs it: on stand-ins of known shape."""
    return _recorded(program, arrays, lambda array: array.shape)


def symbolic(program: Program, arrays: Sequence[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    """As `fuse.jit` runs it first: equal leading lengths of two and more are one symbol."""
    return _recorded(program, arrays, _open_shape)


def _open_shape(array: np.ndarray) -> Shape:
    if not array.ndim or len(array) < 2:
        return array.shape
    return (Symbol(f"n{array.shape[0]}"), *array.shape[1:])


def _recorded(program: Program, arrays: Sequence[np.ndarray], shape: Callable[[np.ndarray], Shape]) -> Any:
    own = [array.copy() for array in arrays]
    with config.config(raise_internal=True), recording() as run:
        nodes = [build.new_input(array.dtype, shape(array)) for array in own]
        for array, node in zip(own, nodes, strict=True):
            run.argument(array, node)
        stand_ins = [CARRIER.stand_in(array, [node]) for array, node in zip(own, nodes, strict=True)]
        result = copied(real(_run(program, fnp, stand_ins)))
        written = [CARRIER.written(stand_in) for stand_in in stand_ins]
        contents = [None if node is None else values([node])[0].copy() for node in written]
        for array, content in zip(own, contents, strict=True):
            if content is not None:
                np.copyto(array, content)
    return result, own


def real(value: Any) -> Any:
    """A result with lazy arrays made real."""
    if isinstance(value, LazyArray):
        with inside(value._storage.recording):
            return CARRIER.rebuild(value)(
                values(CARRIER.nodes(value)) if _has_node(value) else [value._elements]
            )
    if isinstance(value, tuple | list):
        return [real(item) for item in value]
    return value


def copied(value: Any) -> Any:
    """Results apart from the arguments, which are written to after them."""
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value.copy() if isinstance(value, np.ndarray) else value


def _has_node(value: LazyArray) -> bool:
    return value._dtype.kind in "biufcmM" and value._storage.array is None


def agree(expected: Any, found: Any, ulps: float, rtol: float) -> bool:
    """Whether results are equal: by bits, or within so many ulps, or within a relative tolerance of
    reductions.
    """
    if isinstance(expected, tuple | list):
        return len(expected) == len(found) and all(
            agree(e, f, ulps, rtol) for e, f in zip(expected, found, strict=True)
        )
    if type(expected) is not type(found):
        return False
    if not isinstance(expected, np.ndarray | np.generic):
        return bool(expected == found) or (expected != expected and found != found)
    if expected.dtype.kind not in "fc" or (ulps == 0 and rtol == 0):
        return same_bits(np.asarray(expected), np.asarray(found))
    if within_ulps(np.asarray(expected), np.asarray(found), ulps):
        return True
    same_form = expected.dtype == found.dtype and expected.shape == found.shape
    with np.errstate(all="ignore"):
        return same_form and bool(np.allclose(expected, found, rtol=rtol, atol=0, equal_nan=True))


WORLDS = (at_once, lazily, recorded, symbolic)


def check(
    program: Program, *arrays: Any, ulps: float = 0, rtol: float = 0, worlds: Sequence[Any] = WORLDS
) -> Any:
    """Run in all worlds; returns NumPy's result."""
    given = [np.asarray(array) for array in arrays]
    expected, after = in_numpy(program, given)
    expected = list(expected) if isinstance(expected, tuple) else expected
    for world in worlds:
        found, changed = _with_static_lengths(world, program, given)
        assert agree(expected, found, ulps, rtol), f"{world.__name__}:\n{expected!r}\n is not\n{found!r}"
        assert agree(after, changed, ulps, rtol), (
            f"{world.__name__} left the arguments as {changed!r}, NumPy as {after!r}"
        )
    return expected


def _with_static_lengths(world: Any, program: Program, arrays: Sequence[np.ndarray]) -> Any:
    """What `fuse.jit` does when two lengths of different names must be equal."""
    found = world(program, arrays)
    if isinstance(found[0], Raised) and found[0].kind.__name__ == "SymbolicMismatch":
        assert world is symbolic
        return recorded(program, arrays)
    return found
