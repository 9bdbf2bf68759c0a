"""Arrays of several axes whose last one is short: picked rows and columns, products of colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fuse.ir import build
from fuse.ir.interpret import interpret
from tests.integrations.numpy_array.worlds import check

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 255, (3, 9, 8, 3)).astype(np.uint8)
COLOURS = RNG.random((4, 5, 3))
WEIGHTS = RNG.random((3, 3))
WIDE = RNG.random((3, 90))
ROWS, COLUMNS = np.array([0, 2, 8, 2, -1]), np.array([7, 0, -8])
ROW = RNG.random(3)

PROGRAMS: list[Any] = [
    lambda np, x: x[:, ROWS[:, None], COLUMNS],
    lambda np, x: x[ROWS[:3, None] % 3, COLUMNS],
    lambda np, x: x[:, :, COLUMNS[:, None], ROWS[:3] % 3],
    lambda np, x: x[:, ROWS[:, None], COLUMNS[None, :]] + 1,
    lambda np, x: x[:, 0:9, COLUMNS].astype(np.float32).sum(),
    lambda np, x: x[:, ROWS[:, None], COLUMNS, 0],
    lambda np, x: x[..., ROWS[:, None] % 8, COLUMNS % 3],
    lambda np, x: x[:, ROWS[:, None] + 9, COLUMNS],
    lambda np, x: x[:, ROWS[:, None], 1:3],
    lambda np, x: x[ROWS[:, None], COLUMNS, ROWS[:, None]],
]

PRODUCTS: list[Any] = [
    lambda np, x: x @ WEIGHTS,
    lambda np, x: np.dot(x, WEIGHTS),
    lambda np, x: x @ ROW,
    lambda np, x: (x - ROW) @ WEIGHTS + ROW,
    lambda np, x: ((x / 2 - ROW) @ WEIGHTS).argmax(axis=-1),
    lambda np, x: ((x * x) @ WEIGHTS).max(-1),
    lambda np, x: np.tanh((x - x[:1]) @ WEIGHTS).sum(axis=2),
    lambda np, x: x @ WIDE,
    lambda np, x: (x @ WEIGHTS).T,
    lambda np, x: (x @ WEIGHTS) * x,
    lambda np, x: x @ WEIGHTS[:2],
    lambda np, x: (np.exp(x), np.exp(x) @ WEIGHTS),
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_open_meshes_on_any_axes(program: Any) -> None:
    check(program, PICTURES)


@pytest.mark.parametrize("program", PRODUCTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_products_of_rows_of_any_axes(program: Any, dtype: Any) -> None:
    check(program, COLOURS.astype(dtype), rtol=1e-12 if dtype is np.float64 else 2e-5)


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("places", [[1, 0], [[2, 1], [0, 0]], 1])
def test_a_gather_from_a_permuted_table(axes: tuple[int, ...], places: Any) -> None:
    table = RNG.random((3, 4, 5)).transpose(axes)
    index = np.array(places)
    source = build.new_input(table.dtype, table.shape)
    where = build.new_input(index.dtype, index.shape)
    (found,) = interpret([build.gather(source, where)], {source: table, where: index})
    np.testing.assert_array_equal(found, table[index])
