"""A scorer gives what its steps give one after the other."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fuse

pytest.importorskip("sklearn")
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def frame(rows: int, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "amount": generator.normal(5, 3, rows),
            "count": generator.integers(0, 9, rows),
            "city": pd.Categorical(generator.choice(["rome", "oslo"], rows)),
        }
    )


def features(df: Any) -> Any:
    return np.column_stack([df["amount"] / 2, df["count"] + 1.0, np.where(df["city"] == "rome", 1.0, 0.0)])


def row_sum(x: Any) -> Any:
    return x.sum(axis=1)


DATA = frame(60)
TARGET = (DATA["amount"] > 5).to_numpy()
CLASSIFIER = make_pipeline(StandardScaler(), LogisticRegression()).fit(features(DATA), TARGET)
REGRESSOR = LinearRegression().fit(features(DATA), DATA["amount"])
SCALER = StandardScaler().fit(features(DATA))


@pytest.mark.parametrize(
    ("steps", "method", "plain"),
    [
        ((features, CLASSIFIER), "auto", lambda df: CLASSIFIER.predict_proba(features(df))),
        ((features, CLASSIFIER), "predict", lambda df: CLASSIFIER.predict(features(df))),
        ((features, CLASSIFIER), "decision_function", lambda df: CLASSIFIER.decision_function(features(df))),
        ((features, REGRESSOR), "auto", lambda df: REGRESSOR.predict(features(df))),
        ((features, SCALER), "auto", lambda df: SCALER.transform(features(df))),
        ((features, SCALER, row_sum), "auto", lambda df: row_sum(SCALER.transform(features(df)))),
        ((features,), "auto", features),
    ],
)  # fmt: skip
@pytest.mark.parametrize("example", [None, DATA, DATA.head(1)], ids=["without", "with", "of one row"])
def test_same_as_the_steps(steps: Any, method: str, plain: Any, example: Any) -> None:
    scorer = fuse.compile(*steps, example=example, method=method)
    for rows in (50, 1, 200):
        expected = plain(frame(rows, rows))
        actual = scorer(frame(rows, rows))
        assert type(actual) is type(expected)
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-14)
    row = frame(1, 7).iloc[0].to_dict() | {"unused": 1}
    if example is not None:
        np.testing.assert_allclose(scorer.predict_row(row), plain(frame(1, 7))[0], rtol=1e-12, atol=1e-14)


def test_the_original_steps_are_at_hand() -> None:
    assert fuse.compile(features, CLASSIFIER).original == (features, CLASSIFIER)


def test_it_is_compiled_and_says_so() -> None:
    scorer = fuse.compile(features, SCALER, example=DATA)
    assert scorer.explain().kernels
    assert scorer.explain() == scorer.explain(DATA)
    with pytest.raises(TypeError, match="example"):
        fuse.compile(features).explain()


def test_a_model_fitted_again_is_noticed() -> None:
    model = LinearRegression().fit(features(DATA), DATA["amount"])
    scorer = fuse.compile(features, model, example=DATA)
    first = scorer(DATA)
    model.fit(features(DATA), -DATA["amount"])
    np.testing.assert_allclose(scorer(DATA), model.predict(features(DATA)), rtol=1e-12)
    assert not np.allclose(first, scorer(DATA))


def test_a_row_that_does_not_fit() -> None:
    scorer = fuse.compile(features, REGRESSOR, example=DATA)
    with pytest.raises(fuse.SchemaError, match="'count'"):
        scorer.predict_row({"amount": 1.0, "city": "rome"})
    with pytest.raises(fuse.SchemaError, match="'count'"):
        scorer.predict_row({"amount": 1.0, "count": "many", "city": "rome"})
    unseen = scorer.predict_row({"amount": 1.0, "count": 2, "city": "nowhere"})
    assert unseen == pytest.approx(scorer.predict_row({"amount": 1.0, "count": 2, "city": "oslo"}))


def test_rows_of_arrays() -> None:
    data = features(DATA)
    scorer = fuse.compile(REGRESSOR, example=data)
    np.testing.assert_allclose(scorer.predict_row(data[3]), REGRESSOR.predict(data[3:4])[0])
    with pytest.raises(fuse.SchemaError, match="3 columns"):
        scorer.predict_row([1.0, 2.0])


@pytest.mark.parametrize(
    ("steps", "method", "message"),
    [((), "auto", "at least one"), ((features, 3), "auto", "neither callable"),
     ((CLASSIFIER, features), "auto", "transform"), ((features, REGRESSOR), "predict_proba", "proba")],
)  # fmt: skip
def test_steps_that_cannot_be_composed(steps: Any, method: str, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        fuse.compile(*steps, method=method)


def test_pickle() -> None:
    scorer = fuse.compile(SCALER, PCA(2).fit(SCALER.transform(features(DATA))), example=features(DATA))
    again = pickle.loads(pickle.dumps(scorer))
    np.testing.assert_array_equal(again(features(DATA)), scorer(features(DATA)))
