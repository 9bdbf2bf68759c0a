"""NumPy's random generators on lazy arrays: the same streams, the same writes."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import fuse.numpy as fnp
from fuse.integrations.numpy_array.base import LazyArray
from tests.integrations.numpy_array.worlds import at_once, check, lazily

A = np.linspace(1, 9, 12).reshape(4, 3)


def test_shuffle_and_its_kin_draw_what_numpy_draws() -> None:
    def program(np: Any, x: Any) -> Any:
        rng = np.random.default_rng(3)
        rng.shuffle(x)
        rng.shuffle(x, axis=1)
        return [x + 1, rng.permutation(x), rng.permuted(x, axis=1), rng.choice(x, 2), rng.normal(x)]

    check(program, A, worlds=(at_once, lazily))


def test_legacy_state() -> None:
    def program(np: Any, x: Any) -> Any:
        state = np.random.RandomState(np.arange(5))
        state.shuffle(x)
        return [x * 2, state.rand(3), state.permutation(x)]

    check(program, A, worlds=(at_once, lazily))


def test_outputs_are_written_to() -> None:
    def program(np: Any, x: Any) -> Any:
        rng = np.random.default_rng(3)
        given = rng.random(out=x) is x
        rng.permuted(x, axis=0, out=x)
        return [given, x * 2]

    check(program, A.copy(), worlds=(at_once, lazily))


def test_generators_are_those_of_numpy() -> None:
    rng = fnp.random.default_rng(0)
    assert isinstance(rng, np.random.Generator)
    assert isinstance(rng, fnp.random.Generator)
    assert isinstance(fnp.random.RandomState(0), np.random.RandomState)
    assert fnp.random.default_rng(rng) is rng
    assert isinstance(rng.normal(size=3), LazyArray)
    assert isinstance(rng.random(), float)
    assert isinstance(rng.spawn(2)[0], np.random.Generator)
    for other in (pickle.loads(pickle.dumps(rng)), copy.deepcopy(rng)):
        assert other.integers(100) == copy.deepcopy(rng).integers(100)


def test_functions_of_a_namespace_stay_the_same_objects() -> None:
    assert fnp.random.normal is fnp.random.normal
    assert fnp.linalg.norm is fnp.linalg.norm
    with pytest.raises(AttributeError):
        fnp.random.no_such_distribution


def test_lists_are_shuffled_in_place() -> None:
    for shuffle, plain in (
        (fnp.random.default_rng(3).shuffle, np.random.default_rng(3).shuffle),
        (fnp.random.RandomState(3).shuffle, np.random.RandomState(3).shuffle),
    ):
        ours, theirs = list("abcdefgh"), list("abcdefgh")
        shuffle(ours)
        plain(theirs)
        assert ours == theirs
    np.random.seed(3)
    fnp.random.shuffle(ours)
    np.random.seed(3)
    np.random.shuffle(theirs)
    assert ours == theirs


def test_generators_of_numpy_count_as_instances() -> None:
    assert isinstance(np.random.default_rng(0), fnp.random.Generator)
    assert isinstance(np.random.RandomState(0), fnp.random.RandomState)
    assert not isinstance(0, fnp.random.Generator)


def test_what_methods_of_numpy_draw_with_each_other() -> None:
    ours, theirs = fnp.random.default_rng(3), np.random.default_rng(3)
    assert ours.choice(5) == theirs.choice(5)
    assert type(ours.choice(5)) is type(theirs.choice(5))
    legacy, plain = fnp.random.RandomState(3), np.random.RandomState(3)
    assert [legacy.standard_normal() for _ in range(3)] == [plain.standard_normal() for _ in range(3)]
    assert pickle.loads(pickle.dumps(legacy)).standard_normal() == plain.standard_normal()
