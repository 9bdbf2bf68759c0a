"""The examples give with fuse what they give without, and their plans are what they promise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import fuse
from bench.equality import check, describe
from examples import breast_cancer, demo, digits, photograph

FEW = 3_000


@pytest.fixture(autouse=True)
def compiled() -> Iterator[None]:
    """The real rows are few; here they are compiled all the same."""
    with fuse.config(min_rows=0):
        yield


@pytest.fixture(scope="module")
def model() -> breast_cancer.Model:
    return breast_cancer.fit()


@pytest.mark.parametrize(
    ("example", "tolerance"),
    [(breast_cancer, 1e-14), (digits, 1e-10), (photograph, 1e-12)],
    ids=lambda e: str(e),
)
def test_the_result_is_the_same(example: ModuleType, tolerance: float) -> None:
    run, real, more = example.build(), example.rows(), example.many_rows(FEW)
    for data in (real, more, real):
        check(run.py_func(data), run(data), tolerance)
    assert run.stats().plain == 0


@pytest.mark.parametrize("example", [breast_cancer, digits, photograph])
def test_the_input_is_not_changed(example: ModuleType) -> None:
    data = example.rows()
    example.build()(data)
    assert describe(example.rows(), data) == "same bits"


def test_the_trees_give_the_bits_of_lightgbm(model: breast_cancer.Model) -> None:
    @fuse.jit
    def inputs(df: pd.DataFrame) -> np.ndarray:
        return model.scaler.transform(
            model.imputer.transform(breast_cancer.features(breast_cancer.clean(df)))
        )

    table = breast_cancer.rows()
    expected = model.booster.predict(inputs(table), raw_score=True)
    actual = breast_cancer.build(model, raw_score=True)(table)
    np.testing.assert_array_equal(expected.view(np.int64), actual.view(np.int64))


def test_features_are_within_an_ulp_of_numpys(model: breast_cancer.Model) -> None:
    table = breast_cancer.clean(breast_cancer.rows())
    expected, actual = breast_cancer.features(table), fuse.jit(breast_cancer.features)(table)
    np.testing.assert_array_max_ulp(expected, actual, maxulp=2)


def test_the_table_is_one_kernel(model: breast_cancer.Model) -> None:
    plan = breast_cancer.build(model).explain(breast_cancer.rows())
    assert (len(plan.kernels), plan.intermediates, plan.library_steps) == (1, (), ()), str(plan)


def test_the_plan_of_the_table_serves_any_number_of_rows(model: breast_cancer.Model) -> None:
    run = breast_cancer.build(model)
    for count in (569, 1_000, 20_000):
        run(breast_cancer.many_rows(count))
    assert run.stats().recorded == 1, str(run.explain(breast_cancer.rows()))


def test_the_digits_are_compiled_as_a_whole() -> None:
    plan = digits.build().explain(digits.rows())
    assert plan.library_steps == ()


def test_the_demo_reports_every_example(tmp_path: Path) -> None:
    outcome = demo.outcome(breast_cancer, FEW, tmp_path)
    assert outcome.rows == FEW
    assert outcome.on_real_rows == "same bits" or "relative difference" in outcome.on_real_rows
    page = outcome.page.read_text("utf-8")
    assert "Kernel 1" in page
    assert "breast_cancer.py" in page
