"""Breast cancer: pandas cleans, NumPy derives features, scikit-learn imputes and scales, LightGBM scores.

Four libraries, each fast, and between any two of them an array in memory. Under `fuse.jit` it is one loop
from the raw columns to the probability.
"""

from __future__ import annotations

from typing import NamedTuple

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

import fuse
from fuse.integrations.jit.function import JitFunction

SEED = 7
LOST = 0.02
"""Share of the measurements that a clinic did not write down."""

MANY = 1_000_000


def rows() -> pd.DataFrame:
    """The 569 patients of the data set, 30 measurements each, some of them lost."""
    table = load_breast_cancer(as_frame=True).data
    return table.mask(np.random.default_rng(SEED).random(table.shape) < LOST)


def benign() -> np.ndarray:
    """1 for the patients whose tumour is benign."""
    return load_breast_cancer().target


def many_rows(count: int) -> pd.DataFrame:
    """Patients drawn from the real ones, each measurement off by up to 5 %."""
    table = rows()
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, len(table), count)
    return pd.DataFrame(
        {name: table[name].to_numpy()[drawn] * rng.uniform(0.95, 1.05, count) for name in table}
    )


def clean(df: pd.DataFrame) -> pd.DataFrame:
    """Patients whose outline was measured, without the scanner's outliers; texture has a usual value."""
    df = df[df["mean radius"].notna() & (df["mean area"] < 2400)]
    return df.assign(**{"mean texture": df["mean texture"].fillna(18.84)})


def features(df: pd.DataFrame) -> np.ndarray:
    """16 features of each patient: measurements, ratios, logarithms, products."""
    radius, area, texture = df["mean radius"], df["mean area"], df["mean texture"]
    growth = df["worst radius"] / radius
    return np.column_stack([
        radius,
        texture,
        df["mean smoothness"],
        df["mean concavity"],
        4 * np.pi * area / df["mean perimeter"] ** 2,
        growth,
        np.log1p(area),
        np.log1p(df["area error"]),
        np.sqrt(df["worst concavity"]),
        df["worst area"] / area,
        df["worst texture"] / texture,
        df["mean concave points"] / (df["mean concavity"] + 1e-3),
        df["worst concave points"] * df["worst perimeter"],
        np.log1p(df["worst area"]) * df["worst smoothness"],
        np.clip(df["mean compactness"], 0.0, 0.3),
        np.where(growth > 1.2, df["worst symmetry"], df["mean symmetry"]),
    ])  # fmt: skip


class Model(NamedTuple):
    """What training leaves."""

    imputer: SimpleImputer
    scaler: StandardScaler
    booster: lgb.Booster


def fit() -> Model:
    """Imputer, scaler and booster, fitted on the real rows."""
    kept = clean(rows())
    matrix = features(kept)
    imputer = SimpleImputer(strategy="median").fit(matrix)
    scaler = StandardScaler().fit(imputer.transform(matrix))
    data = lgb.Dataset(scaler.transform(imputer.transform(matrix)), benign()[kept.index])
    settings = {"objective": "binary", "num_leaves": 31, "min_data_in_leaf": 5, "verbosity": -1, "seed": SEED}
    return Model(imputer, scaler, lgb.train(settings, data, num_boost_round=100))


def build(model: Model | None = None, raw_score: bool = False) -> JitFunction[[pd.DataFrame], np.ndarray]:
    """The pipeline around a model. `raw_score`: the sum of the trees instead of the probability."""
    imputer, scaler, booster = model or fit()

    @fuse.jit
    def run(df: pd.DataFrame) -> np.ndarray:
        """Probability of a benign tumour for each patient that `clean` keeps."""
        inputs = imputer.transform(features(clean(df)))
        return booster.predict(scaler.transform(inputs), raw_score=raw_score)

    return run
