"""Which errors an op meets: NumPy's own answer, for special values of every dtype."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from fuse.ir import build
from fuse.ir.float_errors import errors_of
from fuse.ir.interpret import interpret
from fuse.ir.node import Node, make
from fuse.ir.scalar_ops import SCALAR_OPS

FLOATS = [0.0, -0.0, 1.0, -2.0, 0.5, 1e300, -1e-300, 710.0, 89.0, -1e5, np.inf, -np.inf, np.nan]
WORDS = {"divide by zero": "divide", "overflow": "over", "invalid value": "invalid"}
FLOAT_OPS = sorted(
    name for name, row in SCALAR_OPS.items()
    if isinstance(row.meaning, np.ufunc) and row.arity < 3 and name not in ("isnat", "ldexp", "spacing")
    and any(kinds[: row.arity] == "d" * row.arity for kinds in row.meaning.types)
)  # fmt: skip


def numpys(function: Any, arrays: Sequence[np.ndarray]) -> set[str]:
    errors: list[str] = []
    with np.errstate(all="call", under="ignore", call=lambda error, _: errors.append(error)):
        function(*arrays)
    return {WORDS[error] for error in errors}


def ours(node: Node, inputs: Sequence[Node], arrays: Sequence[np.ndarray]) -> set[str]:
    checks = errors_of(node)
    holds = interpret([condition for _, condition in checks], dict(zip(inputs, arrays, strict=True)))
    return {kind for (kind, _), held in zip(checks, holds, strict=True) if held}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("op", FLOAT_OPS)
def test_floats(op: str, dtype: str) -> None:
    row = SCALAR_OPS[op]
    with np.errstate(all="ignore"):
        values = np.array(FLOATS).astype(dtype)
    inputs = [build.new_input(np.dtype(dtype), (20,)) for _ in range(row.arity)]
    node = make(op, inputs)
    wrong = []
    for chosen in itertools.product(values, repeat=row.arity):
        if op == "power" and np.isinf(chosen[1]):
            continue  # C libraries differ
        arrays = [np.full(20, value, dtype) for value in chosen]
        expected, found = numpys(row.meaning, arrays), ours(node, inputs, arrays)
        if expected != found:
            wrong.append(f"{op}({', '.join(map(str, chosen))}): {expected} is not {found}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "uint64"])
@pytest.mark.parametrize("op", ["floor_divide", "remainder", "fmod", "add", "multiply", "reciprocal"])
def test_integers(op: str, dtype: str) -> None:
    row = SCALAR_OPS[op]
    inputs = [build.new_input(np.dtype(dtype), (20,)) for _ in range(row.arity)]
    node = make(op, inputs)
    limits = np.iinfo(dtype)
    for chosen in itertools.product((limits.min, limits.max, 0, 1, 7), repeat=row.arity):
        arrays = [np.full(20, value, dtype) for value in chosen]
        expected, found = numpys(row.meaning, arrays), ours(node, inputs, arrays)
        assert expected == found, chosen


INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint64"]
LIMITS = [300.0, 7e4, 2147483647.5, -2147483648.5, -2147483649.5, 3e9, 2.0**63, -(2.0**63), 1e19]


@pytest.mark.parametrize("source", ["float16", "float32", "float64"])
@pytest.mark.parametrize("target", [*INTEGERS, "float16", "float32"])
def test_casts(source: str, target: str) -> None:
    given = build.new_input(np.dtype(source), (20,))
    node = build.convert(given, np.dtype(target))
    for value in (*FLOATS, *LIMITS):
        with np.errstate(all="ignore"):
            array = np.full(20, value).astype(source)
        expected = numpys(lambda a: a.astype(target), [array])
        found = ours(node, [given], [array]) if node is not given else set()
        assert found == expected, value


def test_a_mask_of_another_shape() -> None:
    value, mask = build.new_input(np.dtype(float), (3,)), build.new_input(np.dtype(bool), (2, 3))
    node = make("log", [value])
    (_, divide), _ = errors_of(node, mask)
    array = np.array([0.0, 1.0, 2.0])
    for first in (True, False):
        chosen = np.array([[first, True, True], [False, True, True]])
        assert interpret([divide], {value: array, mask: chosen})[0] == first
