"""Demo (a): the breast-cancer pipeline of `examples/`, 1e6 rows; pandas, NumPy, scikit-learn, LightGBM.

Also its plan, which must be one kernel with nothing materialised, and its trees, which must give
LightGBM's bits on the same features.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

import fuse
from bench.case import Bar, Case, Row, fact
from bench.equality import describe
from bench.rounds import Settings, compare
from examples import breast_cancer as example

SIZE = 1_000_000
NAME = "breast_cancer"


def rows(settings: Settings) -> Iterator[Row]:
    df, model = example.many_rows(SIZE), example.fit()
    run = example.build(model)
    yield _plan(run.explain(df))
    yield _bits(model, df)
    case = Case("1e6 rows", lambda: run.py_func(df), lambda: run(df), Bar("faster", 4), tolerance=1e-12)
    yield from compare(NAME, case, settings)


def _plan(plan: fuse.Explanation) -> Row:
    kernels, between, outside = len(plan.kernels), len(plan.intermediates), len(plan.library_steps)
    found = f"{kernels}, {between}, {outside}"
    return fact(
        NAME,
        "kernels, materialised, not compiled",
        1,
        found,
        "1, 0, 0",
        (kernels, between, outside) == (1, 0, 0),
    )


def _bits(model: example.Model, df: pd.DataFrame) -> Row:
    found = describe(*raw_scores(model, df))
    return fact(NAME, "raw score, same features", 2, found, "same bits", found == "same bits")


def raw_scores(model: example.Model, df: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """LightGBM's raw scores of the features that fuse computes, and those of the whole pipeline under
    fuse.
    """

    @fuse.jit
    def inputs(df: pd.DataFrame) -> np.ndarray:
        return model.scaler.transform(model.imputer.transform(example.features(example.clean(df))))

    with fuse.config(min_rows=0):
        expected = model.booster.predict(inputs(df), raw_score=True)
        return expected, example.build(model, raw_score=True)(df)
