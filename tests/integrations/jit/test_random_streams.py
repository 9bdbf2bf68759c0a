"""Random numbers in compiled functions are those of the plain function, however often it was recorded."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import fuse
import fuse.numpy as fnp
from fuse import config

X = np.arange(12.0)


@pytest.fixture(autouse=True)
def _recorded() -> Any:
    with config.config(min_rows=0):
        yield


class Holder:
    """Has a generator as an attribute."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng


def _of_closure(rng: Any) -> Any:
    return lambda x: x + rng.normal(size=len(x))


def _of_attribute(rng: Any) -> Any:
    holder = Holder(rng)
    return lambda x: x * holder.rng.normal(size=12)


def _of_a_list(rng: Any) -> Any:
    rngs = [rng]

    def draw(x: Any) -> Any:
        return x - rngs[0].standard_normal(12)

    return draw


@pytest.mark.parametrize("make", [_of_closure, _of_attribute, _of_a_list])
@pytest.mark.parametrize("kind", [np.random.default_rng, fnp.random.default_rng, np.random.RandomState])
def test_a_generator_draws_once_a_call(kind: Any, make: Any) -> None:
    plain, compiled = make(kind(3)), fuse.jit(make(kind(3)))
    for _ in range(4):
        np.testing.assert_array_equal(compiled(X), plain(X))


def test_functions_of_the_module_draw_once_a_call() -> None:
    def noisy(x: Any) -> Any:
        return x + np.random.normal(size=12) * np.random.random_sample()

    compiled = fuse.jit(noisy)
    np.random.seed(3)
    wanted = [noisy(X) for _ in range(4)]
    np.random.seed(3)
    for expected in wanted:
        np.testing.assert_array_equal(compiled(X), expected)


def test_a_guard_that_fails_after_a_draw() -> None:
    def noisy(x: Any) -> Any:
        y = x + np.random.normal(size=12)
        return y * 2 if y[0] > 0 else y - 1

    compiled = fuse.jit(noisy)
    np.random.seed(3)
    wanted = [noisy(X) for _ in range(8)]
    np.random.seed(3)
    for expected in wanted:
        np.testing.assert_array_equal(compiled(X), expected)


def test_python_s_own_numbers() -> None:
    def noisy(x: Any) -> Any:
        return x[: random.randrange(3, 9)] * random.random()

    compiled = fuse.jit(noisy)
    random.seed(3)
    wanted = [noisy(X) for _ in range(4)]
    random.seed(3)
    for expected in wanted:
        np.testing.assert_array_equal(compiled(X), expected)


def test_a_generator_that_is_not_drawn_from_keeps_the_plan() -> None:
    rng = np.random.default_rng(0)
    compiled = fuse.jit(lambda x: x + 1 if rng is not None else x)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(X), X + 1)
    assert compiled.stats().replayed == 2
