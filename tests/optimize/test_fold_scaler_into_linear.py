"""The error that folding adds stays within that of the sum itself; what would add more is not folded."""

import numpy as np
import pytest

from fuse.ir import build
from fuse.ir.interpret import interpret
from fuse.ir.node import Graph, Node
from fuse.ir.types import Symbol
from fuse.optimize.driver import optimize

ROWS = Symbol("n")


def scaled_model(X: Node, mean: np.ndarray, scale: np.ndarray, weights: np.ndarray) -> Node:
    """dot((X - mean) / scale, weights)"""
    shifted = build.elementwise("subtract", X, build.broadcast(build.constant(mean), X.shape))
    divided = build.elementwise("divide", shifted, build.broadcast(build.constant(scale), X.shape))
    return build.dot(divided, build.constant(weights))


def exact(data: np.ndarray, mean: np.ndarray, scale: np.ndarray, weights: np.ndarray) -> np.ndarray:
    wide = np.longdouble
    return ((data.astype(wide) - mean.astype(wide)) / scale.astype(wide)) @ weights.astype(wide)


@pytest.mark.parametrize("ratio", [0.0, 1.0, 30.0, 1e3, 1e9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_error_is_that_of_a_dot(ratio: float, dtype: type) -> None:
    """Bound: columns times eps times the sum of the magnitudes that are added, with and without the shift."""
    rng = np.random.default_rng(int(ratio) + 1)
    columns = 12
    scale = rng.uniform(0.1, 10, columns).astype(dtype)
    mean = (ratio * scale * rng.uniform(0.5, 1, columns)).astype(dtype)
    weights = rng.normal(0, 1, columns).astype(dtype)
    data = (mean + scale * rng.normal(0, 1, (500, columns))).astype(dtype)
    X = build.new_input(np.dtype(dtype), (ROWS, columns))
    graph = Graph((scaled_model(X, mean, scale, weights),))
    after = optimize(graph)
    assert after is not graph
    (got,) = interpret(after.outputs, {X: data})
    want = exact(data, mean, scale, weights)
    magnitude = np.abs((data - mean) / scale) @ np.abs(weights) + 2 * min(ratio, 64.0) * np.abs(weights).sum()
    assert np.all(np.abs(got - want) <= columns * np.finfo(dtype).eps * magnitude)


def test_infinities_and_nan_come_out_as_before() -> None:
    mean, scale, weights = np.array([1.0, 2.0]), np.array([0.5, 4.0]), np.array([3.0, -1.0])
    X = build.new_input(np.dtype(float), (ROWS, 2))
    graph = Graph((scaled_model(X, mean, scale, weights),))
    values = [np.nan, np.inf, -np.inf, 0.0, 1.0]
    data = np.array([[a, b] for a in values for b in values])
    (want,), (got,) = interpret(graph.outputs, {X: data}), interpret(optimize(graph).outputs, {X: data})
    np.testing.assert_allclose(got, want, rtol=1e-14)


def test_a_constant_column_as_scikit_learn_scales_it() -> None:
    """Its scale is 1.0 and its mean the constant: the other columns are folded all the same."""
    data = np.array([[5.0, 1.0], [5.0, 3.0], [5.0, 8.0]])
    X = build.new_input(np.dtype(float), (ROWS, 2))
    mean, scale, weights = data.mean(axis=0), np.array([1.0, 2.9]), np.array([3.0, -1.0])
    after = optimize(Graph((scaled_model(X, mean, scale, weights),)))
    assert not any(node.op in ("subtract", "divide") for node in after.nodes())
    (got,) = interpret(after.outputs, {X: data})
    np.testing.assert_allclose(got, exact(data, mean, scale, weights).astype(float), rtol=1e-14)
