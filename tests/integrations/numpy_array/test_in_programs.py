"""What programs do with arrays beside computing: outputs, error states, subclasses, large arrays in place."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import fuse
import fuse.numpy as fnp
from fuse import config
from fuse.integrations.numpy_array.base import LazyArray
from fuse.ir.node import walk
from tests.integrations.numpy_array.worlds import at_once, check, lazily, recorded

A = np.linspace(1, 9, 12).reshape(3, 4)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "median", "nanmedian", "nancumsum"])
def test_library_steps_write_to_the_output(name: str) -> None:
    shape = (4,) if "median" in name else A.shape
    options: Any = {} if "median" in name else {"dtype": None}

    def by_name(np: Any, x: Any, y: Any) -> Any:
        result = getattr(np, name)(x, axis=0, out=y)
        return [result is y, y + 1]

    def by_place(np: Any, x: Any, y: Any) -> Any:
        result = getattr(np, name)(x, 0, *options.values(), y)
        return [result is y, y + 1]

    for program in (by_name, by_place):
        check(program, A, np.zeros(shape), rtol=1e-12)
        check(program, A, np.zeros(7), rtol=1e-12)


def test_errstate_raises_at_the_call() -> None:
    """A recording leaves it to whoever runs it: tests of warnings have jitted functions."""

    def program(np: Any, x: Any) -> Any:
        with np.errstate(all="raise"):
            return np.log(x)

    def function(np: Any, x: Any) -> Any:
        with np.errstate(divide="raise", invalid="raise"):
            return np.mean(x / 0.0)

    for found in (program, function):
        for array in (A, np.zeros(3), -A):
            check(found, array, worlds=(at_once, lazily))


def test_a_compiled_function_under_errstate_raises_at_each_call() -> None:
    @fuse.jit
    def quotient(x: np.ndarray) -> Any:
        with np.errstate(divide="raise"):
            return 1 / x

    with config.config(min_rows=0):
        np.testing.assert_array_equal(quotient(np.ones(3)), np.ones(3))
        for _ in range(2):
            with pytest.raises(FloatingPointError):
                quotient(np.zeros(3))


def test_derived_classes_are_of_numpy() -> None:
    class Tagged(fnp.ndarray):
        def __new__(cls, elements: Any, tag: str) -> Any:
            made = fnp.asarray(elements).view(cls)
            made.tag = tag
            return made

        def __array_finalize__(self, source: Any) -> None:
            self.tag = getattr(source, "tag", None)

        def sum(self, *args: Any, **kwargs: Any) -> Any:
            return super().sum(*args, **kwargs) + 1000

    tagged = Tagged(A, "first")
    assert isinstance(tagged, np.ndarray)
    assert (tagged[1:] * 2).tag == "first"
    assert tagged.sum() == A.sum() + 1000
    assert fnp.ndarray.__new__(Tagged, (2,)).shape == (2,)
    assert isinstance(fnp.asarray(A).view(fnp.ndarray), LazyArray)


def test_ufuncs_pass_for_those_of_numpy() -> None:
    assert isinstance(fnp.add, np.ufunc)
    assert fnp.add == np.add
    assert {np.add: 1}[fnp.add] == 1
    assert fnp.add != np.subtract
    assert pickle.loads(pickle.dumps(fnp.add)) is fnp.add


@pytest.mark.parametrize("size", [100, 1 << 18])
def test_real_arrays_in_place(size: int) -> None:
    """Arrays of a mebibyte are borrowed, not copied, while an expression reads them."""
    x = np.linspace(0, 1, size)
    with config.config(min_rows=0, raise_internal=True):
        own = x.copy()
        earlier = fnp.multiply(own, 2)
        result = fnp.sqrt(own, out=own)
        assert result is own
        np.testing.assert_array_equal(own, np.sqrt(x))
        np.testing.assert_array_equal(earlier._elements, x * 2)
        wrapped = fnp.asarray(own)
        wrapped += 1
        np.testing.assert_array_equal(own, np.sqrt(x) + 1)
        own[0] = 5


def test_outer_products() -> None:
    for ufunc in ("multiply", "subtract", "greater", "arctan2"):
        check(lambda np, x, y, ufunc=ufunc: getattr(np, ufunc).outer(x, y), A, A[0].astype("f"), ulps=1)
    check(lambda np, x, y: np.add.outer(x, y, out=np.zeros((3, 4, 4))), A, A[0])
    check(lambda np, x: np.add.outer(x, 2), A[0].astype("f"))
    check(lambda np, x, y: np.power.outer(x, y), A.astype(int), np.arange(3), worlds=(lazily, recorded))


def test_what_numpy_refuses() -> None:
    check(lambda np, x: x.reshape(True, -1), A)
    check(lambda np, x: x.reshape(2.0, -1), A)
    check(lambda np, x: x[np.zeros(0)], A)
    check(lambda np, x: np.array([x, None], dtype=object).shape, A)

    def delete(np: Any, x: Any) -> None:
        del x[0]

    check(delete, A)


def test_two_results_need_a_tuple_of_outputs() -> None:
    for name in ("frexp", "modf"):
        check(lambda np, x, y, name=name: getattr(np, name)(x, out=y), A, np.zeros((3, 4)))
        check(lambda np, x, y, name=name: getattr(np, name)(x, out=(y, None))[0] + y, A, np.zeros((3, 4)))
    check(lambda np, x, y: np.add(x, x, y, out=y), A, np.zeros((3, 4)))


def test_comparisons_with_what_has_no_loop() -> None:
    check(lambda np, x: [x == "text", x != "text"], A)
    check(lambda np, x: [np.isclose(x.astype("f"), 1 - 1e-16, rtol=0, atol=0), np.isclose(x, x, 0, 0)], A)
    check(lambda np, x: np.clip(x, a_min=3), A)
    check(lambda np, x: np.full_like(x.astype("b"), np.int64(1000)), A)
    check(lambda np, x: np.full_like(x, [1, 2, 3, 4]), A)


def test_attributes_that_are_the_elements() -> None:
    def flat(np: Any, x: Any) -> Any:
        x.flat = [7, 8]
        return [x.flat[np.array([1, 2])], x.flat[0], len(x.flat)]

    def parts(np: Any, x: Any) -> Any:
        x.real = 3
        return x.imag

    check(flat, A, worlds=(at_once, lazily))
    check(parts, A, worlds=(at_once, lazily, recorded))
    check(parts, A + 1j, worlds=(at_once, lazily))


def test_what_a_mask_leaves_keeps_the_dtype_of_the_output() -> None:
    mask = np.arange(12).reshape(3, 4) % 3 == 0
    for name in ("add", "multiply"):
        check(lambda np, x, y, m, f=name: getattr(np, f)(x, 2, out=y, where=m), A.astype(int), A / 3, mask)
        check(lambda np, x, y, m, f=name: getattr(np, f)(x, x, out=y, where=m), A.astype("f"), A / 3, mask)


def test_a_mask_without_an_output_warns() -> None:
    with config.config(min_rows=0):
        x = fnp.asarray(A)
        with pytest.warns(UserWarning, match="'where' used without 'out'") as found:
            fnp.add(x, 1, where=x > 3)
        assert found[0].filename == __file__
        fnp.add(x, 1, where=x > 3, out=None)


def test_an_ellipsis_as_output_asks_for_an_array() -> None:
    assert isinstance(fnp.add(1, 2, out=...), LazyArray)
    for program in (
        lambda np, x: np.add(x, 2, ...),
        lambda np, x: np.add.reduce(x, out=...),
        lambda np, x: np.add(x[0, 0], 2, out=...),
    ):
        check(program, A)


def test_a_loop_over_elements_makes_no_endless_graph() -> None:
    with config.config(min_rows=0):
        x = fnp.asarray(A.reshape(-1)) * 1
        for _ in range(100):
            fnp.add(x[0], 1, out=x[:1])
            assert len(list(walk([x._node]))) < 1000
        assert float(x[0]) == A[0, 0] + 100
