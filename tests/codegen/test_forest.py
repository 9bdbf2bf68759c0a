"""Compiled forests give the bits of `evaluate_forest`, on this CPU and on older ones, whatever they hold."""

from __future__ import annotations

import dataclasses
from typing import Any

import lightgbm
import numpy as np
import pytest

from fuse.ir.forest import ForestTables, evaluate_forest
from fuse.ir.node import ConstantArray
from fuse.plan.forest_bins import CHUNK, bins
from fuse.plan.forest_layout import POINTERS, SINGLE_ROW, SIZES, STRATEGIES, Strategy, layout
from tests.codegen.forest_examples import SPECIAL, booster_tables, random_rows, random_tables
from tests.codegen.forest_harness import NATIVE, assembly, cpus, predictor


def as_dtype(rows: np.ndarray, dtype: type) -> np.ndarray:
    """Rows rounded to the dtype; what is too large becomes infinite."""
    with np.errstate(over="ignore"):
        return rows.astype(dtype)


MIXED = [1, 2, 8, 5, 3, 1]
FORESTS: dict[str, dict[str, Any]] = {
    "one byte of leaves": dict(leaves=MIXED),
    "two bytes": dict(leaves=[*MIXED, 9, 16]),
    "four bytes": dict(leaves=[*MIXED, 32, 17, 31]),
    "eight bytes": dict(leaves=[*MIXED, 64, 33, 63]),
    "traversal": dict(leaves=[*MIXED, 65, 200, 64]),
    "no missing values": dict(leaves=[31] * 6, kinds=(0,)),
    "NaN is missing": dict(leaves=[31] * 6, kinds=(2,)),
    "zero is missing": dict(leaves=[31] * 6, kinds=(1,)),
    "undefined kind of missing": dict(leaves=[31] * 6, kinds=(3, 2)),
    "many thresholds a feature": dict(leaves=[64] * 40, columns=2),
    "categorical": dict(leaves=[31] * 12, categorical=True),
    "more than 32 sets a feature": dict(leaves=[60] * 12, categorical=True, columns=2),
    "categorical traversal": dict(leaves=[90, 4, 1], categorical=True),
    "several outputs": dict(leaves=[20] * 15, outputs=4),
    "several outputs by traversal": dict(leaves=[70] * 7, outputs=3),
    "several values a leaf": dict(leaves=[20, 1] * 5, outputs=7, width=3),
    "several values a leaf, eight bytes": dict(leaves=[64, 1] * 5, outputs=2, width=2),
    "several values a leaf by traversal": dict(leaves=[70, 1] * 4, outputs=5, width=4),
    "chain to the left": dict(leaves=[64, 30], chain="left"),
    "chain to the right": dict(leaves=[64, 30], chain="right"),
    "deep chain": dict(leaves=[700, 3], chain="left"),
    "larger than the caches": dict(leaves=[64] * 60, columns=3, categorical=True),
    "constant trees": dict(leaves=[1, 1, 1], outputs=2),
    "no trees": dict(leaves=[], outputs=2),
}


def assert_same_bits(
    tables: ForestTables, rows: np.ndarray, cpu: str = NATIVE, strategy: Strategy | None = None
) -> None:
    expected = evaluate_forest(tables, rows)
    found = predictor(tables, cpu, strategy=strategy)(rows)
    assert expected.shape == found.shape
    np.testing.assert_array_equal(found.view(np.int64), expected.view(np.int64))


@pytest.mark.parametrize("cpu", cpus())
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", FORESTS)
def test_bits_of_random_forests(name: str, dtype: type, strategy: Strategy, cpu: str) -> None:
    columns = int(FORESTS[name].get("columns", 5))
    for seed in range(2):
        tables = random_tables(seed, **FORESTS[name])
        rows = as_dtype(random_rows(tables, 100 if strategy in SINGLE_ROW else 700, columns, seed), dtype)
        assert_same_bits(tables, rows, cpu, strategy)


def test_the_large_forest_takes_several_passes() -> None:
    plan = layout(random_tables(0, **FORESTS["larger than the caches"]))
    assert plan.sizes["blocks_per_pass"] * 64 < plan.code.tile
    assert plan.sizes["trees_per_pass"] < plan.sizes["tree_count"]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "thresholds", [[np.nan], [np.inf], [-np.inf], [-0.0, 0.0], [1e308, -1e308], [5e-324, 0.0]]
)
def test_extreme_thresholds(thresholds: list[float], dtype: type, strategy: Strategy) -> None:
    tables = random_tables(2, [20] * 4)
    chosen = np.resize(thresholds, tables.threshold.array.shape)
    extreme = dataclasses.replace(tables, threshold=ConstantArray(chosen))
    rows = as_dtype(random_rows(extreme, 300, 5, 2), dtype)
    assert_same_bits(extreme, rows, strategy=strategy)
    special = as_dtype(np.random.default_rng(0).choice(SPECIAL, (300, 5)), dtype)
    assert_same_bits(extreme, special, strategy=strategy)


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 65, 1023, 1024, 1025])
@pytest.mark.parametrize("leaves", [31, 80])
def test_any_number_of_rows(rows: int, leaves: int) -> None:
    tables = random_tables(7, [leaves] * 5, outputs=2)
    assert_same_bits(tables, random_rows(tables, rows, 5, 7))


def test_another_tile() -> None:
    tables = random_tables(3, [31] * 5)
    rows = random_rows(tables, 300, 5, 3)
    expected = evaluate_forest(tables, rows)
    np.testing.assert_array_equal(predictor(tables, tile=128)(rows), expected)


def test_a_tile_must_hold_whole_blocks() -> None:
    with pytest.raises(ValueError, match="multiple of 64"):
        layout(random_tables(0, [3]), tile=100)


PARAMETERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "large trees": {"num_leaves": 200, "min_data_in_leaf": 2},
    "zero is missing": {"zero_as_missing": True},
    "missing is not handled": {"use_missing": False},
    "categorical": {"categorical_feature": [3, 4], "min_data_per_group": 5, "cat_smooth": 1.0},
    "categorical, one against others": {"categorical_feature": [3], "max_cat_to_onehot": 100},
    "multiclass": {"objective": "multiclass", "num_class": 3},
}


def training_data() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    features = random.normal(size=(3000, 5))
    features[:, 1] = np.exp(3 * features[:, 1])
    features[:, 2] *= random.random(3000) < 0.5
    features[:, 3:] = random.integers(0, 70, (3000, 2))
    features[random.random((3000, 5)) < 0.1] = np.nan
    known = np.nan_to_num(features)
    return features, (known[:, 0] + known[:, 2] > np.sin(known[:, 3])) + 1 * (known[:, 4] % 3 == 0)


@pytest.mark.parametrize("cpu", cpus())
@pytest.mark.parametrize("name", PARAMETERS)
def test_bits_of_lightgbm(name: str, cpu: str) -> None:
    features, target = training_data()
    parameters: dict[str, Any] = {"num_leaves": 31, "verbosity": -1, "num_threads": 1, **PARAMETERS[name]}
    categorical = parameters.pop("categorical_feature", "auto")
    booster = lightgbm.train(
        parameters, lightgbm.Dataset(features, target, categorical_feature=categorical), 12
    )
    tables = booster_tables(booster)
    rows = np.concatenate([features[:500], random_rows(tables, 500, 5, 1)])
    assert_same_bits(tables, rows, cpu)
    expected = np.asarray(booster.predict(rows, raw_score=True)).reshape(len(rows), -1)
    np.testing.assert_array_equal(predictor(tables, cpu)(rows), expected)


def test_the_code_does_not_depend_on_the_forest() -> None:
    small, large = (random_tables(1, leaves=[20] * trees) for trees in (2, 50))
    assert layout(small).code == layout(large).code


@pytest.mark.parametrize("cpu", cpus())
def test_the_code_calls_nothing(cpu: str) -> None:
    for name, strategy in (
        ("four bytes", None),
        ("traversal", None),
        ("categorical", "walk"),
        ("traversal", "row"),
        ("four bytes", "packed"),
        ("four bytes", "packed_row"),
    ):
        text = assembly(layout(random_tables(0, **FORESTS[name]), strategy=strategy).code, cpu)
        assert "call" not in text


def test_the_layout_names_every_argument() -> None:
    for strategy in STRATEGIES:
        plan = layout(random_tables(0, [5, 60], categorical=True), strategy=strategy)
        assert set(plan.arrays) == set(POINTERS[strategy])
        assert set(plan.sizes) == set(SIZES)
        assert all(array.array.flags.c_contiguous for array in plan.arrays.values())


def test_a_feature_with_many_thresholds_has_a_slot_for_each_chunk() -> None:
    tables = random_tables(0, [64] * 40, columns=1, kinds=(0,))
    known = np.unique(tables.threshold.array[~np.isnan(tables.threshold.array)])
    slots = bins(tables).slots[:, 0]
    np.testing.assert_array_equal(slots[slots >= 0], np.arange(0, known.size, CHUNK))
