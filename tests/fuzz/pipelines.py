"""Random programs that end in fitted estimators: feature code over a table, then transform and predict.

The estimators are fitted on clean random data, so that what the calls bring (missing values, other columns'
order, float32, categories never seen) is new to them.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from tests.fuzz.programs import UserProgram
from tests.fuzz.tables import arguments

NUMBERS = ("a", "b", "i", "j", "u")
SCALERS: tuple[Callable[[], Any], ...] = (
    StandardScaler,
    lambda: StandardScaler(with_mean=False),
    MinMaxScaler,
    lambda: MinMaxScaler(clip=True),
    lambda: SimpleImputer(strategy="median"),
    lambda: SimpleImputer(strategy="mean", add_indicator=True),
    lambda: make_pipeline(SimpleImputer(), StandardScaler()),
    lambda: PolynomialFeatures(2),
    lambda: PolynomialFeatures(2, interaction_only=True, include_bias=False),
    lambda: PCA(2),
    lambda: FeatureUnion([("s", StandardScaler()), ("p", PCA(2))]),
)
ENCODERS: tuple[Callable[[], Any], ...] = (
    lambda: OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    lambda: OneHotEncoder(handle_unknown="ignore", sparse_output=False, drop="if_binary"),
    lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    lambda: OrdinalEncoder(),
)


def _forest(kind: Any, **options: Any) -> Callable[[int], Any]:
    return lambda seed: kind(
        n_estimators=7, num_leaves=6, min_child_samples=3, verbose=-1, random_state=seed, **options
    )


MODELS: tuple[Callable[[int], Any], ...] = (
    lambda seed: LinearRegression(),
    lambda seed: Ridge(0.5),
    lambda seed: LogisticRegression(),
    _forest(lightgbm.LGBMRegressor),
    _forest(lightgbm.LGBMClassifier),
    _forest(lightgbm.LGBMRegressor, objective="poisson"),
    _forest(lightgbm.LGBMRegressor, boosting_type="rf", bagging_fraction=0.5, bagging_freq=1),
)
FEATURES = (
    "df = df.assign(a=df['a'].clip(-40, 40))",
    "df['b'] = df['b'].fillna(df['b'].mean())",
    "df = df[df['a'] > -20]",
    "df['a'] = np.log1p(df['a'].abs())",
    "df['b'] = df['b'] / (df['i'].abs() + 1)",
    "df = df.assign(i=df['i'] * 2, u=np.where(df['u'] > 100, 1, df['u']))",
    "df['j'] = df['d'].dt.hour",
    "df = df[df.columns[::-1]]",
    "df = df[df['m']]",
    "df = df.astype({'b': 'float32'})",
    "df = df.dropna(subset=['a'])",
    "df = df.reset_index(drop=True)",
)
INPUTS = (
    "df[columns]",
    "df[columns].to_numpy()",
    "df[columns].astype('float32')",
    "df[columns[::-1]]",
    "df[columns].to_numpy().astype('float32')",
    "df[columns].fillna(0)",
    "np.column_stack([df[c] for c in columns])",
    "df[columns].replace([np.inf, -np.inf], np.nan)",
    "np.nan_to_num(df[columns].to_numpy())",
)


def random_pipeline(seed: int) -> tuple[UserProgram, dict[str, Any]]:
    """A program and the fitted estimators among its globals."""
    choose = random.Random(seed + 10**6)
    layout = choose.randrange(420)
    data = arguments(seed, 300, "clean", layout)["df"]
    columns = choose.sample(NUMBERS, choose.randint(2, 5))
    named = choose.random() < 0.7
    frame = data[columns] if named else data[columns].to_numpy()
    steps = [choose.choice(SCALERS)()] if choose.random() < 0.7 else []
    model = choose.choice(MODELS)(seed)
    with_text = named and choose.random() < 0.35
    if with_text:
        numeric = steps[0] if steps else "passthrough"
        steps = [ColumnTransformer([("n", numeric, columns), ("t", choose.choice(ENCODERS)(), ["s", "g"])])]
        frame = data[[*columns, "s", "g"]]
    target = data["a"] + data["b"] ** 2 / 20 + np.arange(len(data)) % 3
    is_classifier = hasattr(model, "predict_proba")
    wanted = pd.qcut(target, choose.choice((2, 3)), labels=False) if is_classifier else target.abs()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = make_pipeline(*steps, model).fit(frame, wanted)
    lines = [*choose.sample(FEATURES, choose.randint(0, 3)), f"X = {_input(choose, with_text)}"]
    methods = ["predict", *(["predict_proba"] if is_classifier else [])]
    lines += [f"p = model.{choose.choice(methods)}(X)", "T = before.transform(X)"]
    returned = ("p", "T") if steps and choose.random() < 0.5 else ("p",)
    kept = tuple(lines if "T" in returned else lines[:-1])
    program = UserProgram(seed, kept, returned, frozenset(returned) | {"df"}, layout, "tuple")
    return program, {
        "model": fitted,
        "before": fitted[:-1],
        "columns": [*columns, *(("s", "g") if with_text else ())],
    }


def _input(choose: random.Random, with_text: bool) -> str:
    return choose.choice(
        ("df[columns]", "df[columns[::-1]]", "df", "df[columns].copy()") if with_text else INPUTS
    )
