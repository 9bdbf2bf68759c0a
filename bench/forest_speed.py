"""How fast the forest stage is beside LightGBM: nanoseconds a row, one thread, tiles of 1,024 rows.

Run as `python -m bench.forest_speed [traverse]`; the word forces the strategy for large trees on all. Models
are trained here. Results are compared bit by bit first; then both sides are timed in turns inside one
process, and medians are compared. LightGBM reads one row-major matrix, the stage reads tiles that lie ready,
column by column, as the stage before it leaves them.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable

import lightgbm
import numpy as np

from fuse.plan import forest_layout
from fuse.plan.forest_layout import BLOCK, layout
from tests.codegen.forest_examples import booster_tables
from tests.codegen.forest_harness import compiled, cpus, has_permute, tile_caller

ROWS, COLUMNS, TILE, ROUNDS = 200_000, 30, 1024, 5
MODELS = ((100, 31), (500, 63))


def sample(rows: int, seed: int) -> np.ndarray:
    """Columns that are log-normal, uniform and normal in turn, one value in fifty missing."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, COLUMNS))
    features[:, ::3] = np.exp(features[:, ::3])
    features[:, 1::3] = random.uniform(size=features[:, 1::3].shape)
    features[random.random(features.shape) < 0.02] = np.nan
    return features


def train(trees: int, leaves: int) -> lightgbm.Booster:
    """A regression that uses every kind of column."""
    features = sample(20_000, 0)
    x = np.nan_to_num(features)
    noise = np.random.default_rng(1).normal(size=len(x))
    target = x[:, 0] + np.sin(3 * x[:, 1]) * x[:, 2] + x[:, 5] * x[:, 6] + 0.5 * noise
    parameters = {"num_leaves": leaves, "min_data_in_leaf": 5, "verbosity": -1, "num_threads": 1}
    return lightgbm.train(parameters, lightgbm.Dataset(features, target), trees)


def tiles(features: np.ndarray) -> list[tuple[np.ndarray, int]]:
    """The rows as column-major tiles, each with its row count."""
    found = []
    for start in range(0, len(features), TILE):
        part = features[start : start + TILE]
        tile = np.zeros((COLUMNS, TILE))
        tile[:, : len(part)] = part.T
        found.append((tile, len(part)))
    return found


def run_tiles(call: Callable[[np.ndarray, int], np.ndarray], parts: list[tuple[np.ndarray, int]]) -> None:
    """All tiles through the stage."""
    for tile, rows in parts:
        call(tile, rows)


def seconds(run: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def medians(*runs: Callable[[], object]) -> np.ndarray:
    """Nanoseconds a row of each, timed in turns."""
    times = [[seconds(run) for run in runs] for _ in range(ROUNDS)]
    return np.asarray(np.median(times, axis=0) / ROWS * 1e9)


def compare(trees: int, leaves: int) -> None:
    """Print a line for each instruction set."""
    booster, features = train(trees, leaves), sample(ROWS, 2)
    tables, parts = booster_tables(booster), tiles(features)

    def library() -> np.ndarray:
        return np.asarray(booster.predict(features, raw_score=True, num_threads=1))

    expected = library()
    for cpu in cpus():
        plan = layout(tables, TILE, has_permute(cpu))
        call = tile_caller(plan, compiled(plan.code, cpu))
        found = np.concatenate([call(tile, rows)[0, :rows].copy() for tile, rows in parts])
        equal = np.array_equal(found.view(np.int64), expected.view(np.int64))
        theirs, ours = medians(library, functools.partial(run_tiles, call, parts))
        print(
            f"{trees} trees x {leaves} leaves  {plan.code.strategy:9}  {cpu:9}  {ours:8.1f} ns/row  LightGBM "
            f"{theirs:8.1f} ns/row  {theirs / ours:5.1f} times  {'same bits' if equal else 'DIFFERENT'}  "
            f"{plan.scratch_bytes // BLOCK // plan.sizes['blocks_per_pass']} slots"
        )


def main() -> None:
    if "traverse" in sys.argv[1:]:
        forest_layout.MAX_LEAVES = 0
    for trees, leaves in MODELS:
        compare(trees, leaves)


if __name__ == "__main__":
    main()
