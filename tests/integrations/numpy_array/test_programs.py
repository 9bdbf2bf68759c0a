"""Random programs over a few arrays: arithmetic, masks, slices, views, in-place writes and reductions.

A program is a list of small steps over named arrays; Hypothesis shrinks it, and the failure shows what is
left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integrations.numpy_array.worlds import at_once, check, lazily, recorded, symbolic

_BINARY = (
    "add",
    "subtract",
    "multiply",
    "maximum",
    "minimum",
    "greater",
    "less_equal",
    "not_equal",
    "divide",
)
_UNARY = ("negative", "absolute", "square", "sign", "isnan", "rint", "sqrt", "floor")
_SLICES = (
    slice(None),
    slice(1, None),
    slice(None, -1),
    slice(None, None, -1),
    slice(None, None, 2),
    slice(2, 5),
)
_NAMES = ("a", "b", "c")

number = st.sampled_from([0, 1, -2, 3, 0.5, 2.0, -1.5])
name = st.sampled_from(_NAMES)
where = st.sampled_from(_SLICES)
step = st.one_of(
    st.tuples(st.just("binary"), name, st.sampled_from(_BINARY), name, name),
    st.tuples(st.just("number"), name, st.sampled_from(_BINARY), name, number),
    st.tuples(st.just("unary"), name, st.sampled_from(_UNARY), name),
    st.tuples(st.just("view"), name, name, where),
    st.tuples(st.just("select"), name, name, number, name),
    st.tuples(st.just("put"), name, where, number),
    st.tuples(st.just("put masked"), name, number, number),
    st.tuples(st.just("scale masked"), name, st.sampled_from([1, -2, 3, 0.5])),
    st.tuples(st.just("in place"), name, st.sampled_from(["__iadd__", "__imul__", "__isub__"]), number),
    st.tuples(st.just("copy part"), name, where, name),
    st.tuples(st.just("centre"), name, name),
    st.tuples(st.just("reversed add"), name),
    st.tuples(st.just("reduce"), st.sampled_from(["sum", "min", "max", "count_nonzero", "argmax"]), name),
)


def run(steps: list[Any], np: Any, *arrays: Any) -> list[Any]:
    """Run the steps; arrays of other shapes than the first simply make a step fail, in both worlds alike."""
    at = dict(zip(_NAMES, arrays, strict=True))
    found: list[Any] = []
    for kind, *rest in steps:
        try:
            _step(np, at, found, kind, rest)
        except (ValueError, TypeError, IndexError) as error:
            found.append(f"{type(error).__name__}: {error}")
    return [*found, *at.values()]


def _step(np: Any, at: dict[str, Any], found: list[Any], kind: str, rest: list[Any]) -> None:
    if kind == "binary":
        target, function, left, right = rest
        at[target] = getattr(np, function)(at[left], at[right])
    elif kind == "number":
        target, function, left, value = rest
        at[target] = getattr(np, function)(at[left], value)
    elif kind == "unary":
        target, function, source = rest
        at[target] = getattr(np, function)(at[source])
    elif kind == "view":
        target, source, key = rest
        at[target] = at[source][key]
    elif kind == "select":
        target, source, value, other = rest
        at[target] = np.where(at[source] > value, at[other], value)
    elif kind == "centre":
        target, source = rest
        at[target] = at[source] - at[source].max()
    else:
        _write(np, at, found, kind, rest)


def _write(np: Any, at: dict[str, Any], found: list[Any], kind: str, rest: list[Any]) -> None:
    if kind == "put":
        at[rest[0]][rest[1]] = rest[2]
    elif kind == "put masked":
        array = at[rest[0]]
        array[array > rest[1]] = rest[2]
    elif kind == "scale masked":
        array = at[rest[0]]
        array[array > 0] *= rest[1]
    elif kind == "in place":
        getattr(at[rest[0]], rest[1])(rest[2])
    elif kind == "copy part":
        target, key, source = rest
        at[target][key] = at[source][key]
    elif kind == "reversed add":
        array = at[rest[0]]
        array += array[::-1]
    else:
        found.append(getattr(np, rest[0])(at[rest[1]]))


_A = np.array([3.0, -1.0, 4.5, np.nan, -0.0, 8.0, 2.0])
_B = np.array([1, -2, 3, 0, 5, -6, 7])
_C = np.array([0.5, 0.25, -4.0, 1.0, np.inf, 2.0, -8.0], np.float32)


@pytest.mark.fuzz
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(step, min_size=1, max_size=9))
def test_random_programs(steps: list[Any]) -> None:
    rtol = 1e-6 if any(taken[:2] == ("reduce", "sum") for taken in steps) else 0
    worlds = (at_once, lazily, recorded, symbolic)
    check(lambda np, *arrays: run(steps, np, *arrays), _A, _B, _C, rtol=rtol, worlds=worlds)
