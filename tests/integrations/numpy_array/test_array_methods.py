"""Methods of arrays where they differ from the function of their name, and how arrays are made of arrays."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import numpy as np
import pytest

import fuse
import fuse.numpy as fnp
from fuse import config
from tests.integrations.numpy_array.worlds import check

A = np.linspace(1, 9, 12).reshape(3, 4)
PUBLIC = sorted(
    name for name, method in vars(fnp.ndarray).items() if inspect.isfunction(method) and name[0] != "_"
)


@pytest.mark.parametrize("name", [name for name in PUBLIC if hasattr(np.ndarray, name)])
def test_signatures_are_those_of_numpy(name: str) -> None:
    assert inspect.signature(getattr(fnp.ndarray, name)) == inspect.signature(getattr(np.ndarray, name))


def test_the_conjugate_of_a_real_array_is_the_array() -> None:
    def program(np: Any, x: Any) -> Any:
        y = x.conj()
        y += 1
        return [y is x, x * 2]

    check(program, A.copy())
    check(lambda np, x: x.conj(), A.astype("U3"))


def test_choices_one_by_one() -> None:
    places = np.array([0, 1, 2, 1])
    check(lambda np, p, x: p.choose(*x), places, A)
    check(lambda np, p, x: p.choose(x), places, A)
    check(lambda np, p, x: p.choose(*x, mode="wrap"), places + 3, A)


def test_truth_as_another_dtype() -> None:
    check(lambda np, x: x.any(dtype=object), A > 3)
    check(lambda np, x: x.all(0, None, np.zeros(4, bool)), A > 3)
    check(lambda np, x: x.any(axis=1, keepdims=True), A > 3)


def test_an_order_that_depends_on_the_memory() -> None:
    transposed = np.asfortranarray(A)
    for order in "CFAK":
        check(lambda np, x, order=order: x.ravel(order), transposed)
        check(lambda np, x, order=order: x.flatten(order), transposed)
        check(lambda np, x, order=order: x.copy(order).ravel("C"), transposed)
        if order != "K":
            check(lambda np, x, order=order: x.reshape((4, 3), order=order), transposed)


def test_an_order_in_a_compiled_function() -> None:
    with config.config(min_rows=0):
        for order in "CFAK":
            flat = fuse.jit(lambda x, order=order: x.ravel(order) * 2)
            for x in (A, np.asfortranarray(A), A[::-1]):
                np.testing.assert_array_equal(flat(x), x.ravel(order) * 2)  # type: ignore[call-overload]  # any order


def test_arrays_of_arrays_are_made_anew_in_each_call() -> None:
    with config.config(min_rows=0):
        for made in (
            lambda x: np.array(x, ndmin=3) + 1,
            lambda x: np.array(x, dtype=object) + 1,
            lambda x: np.array(x, order="F") + 1,
            lambda x: np.array([x, x], dtype=complex) + 1,
            lambda x: x.astype(complex).copy() + 1,
        ):
            compiled = fuse.jit(made)
            for factor in (1.0, 2.0, 3.0):
                found, wanted = compiled(A * factor), made(A * factor)
                np.testing.assert_array_equal(found, wanted)
                assert found.dtype == wanted.dtype


def test_arrays_have_the_dtype_that_was_asked_for() -> None:
    for dtype in ("?", "i1", "f4", "f8", "c16", "M8[s]", "U3", "O"):
        for asked in (dtype, np.dtype(dtype)):
            for made in (np.array, np.asarray, np.asanyarray):
                ours = getattr(fnp, made.__name__)([1, 0], dtype=asked)
                theirs = made([1, 0], dtype=asked)
                assert ours.dtype == theirs.dtype
                assert ours.tolist() == theirs.tolist()
    for copy_mode in (None, True, np._CopyMode.IF_NEEDED):
        assert fnp.array(3, np.dtype("f8"), copy=copy_mode, ndmin=2).tolist() == [[3.0]]
    check(lambda np, x: np.piecewise(x[0], x[0] > 3, [4, 0]), A[0])


def test_a_copy_that_is_forbidden() -> None:
    check(lambda np, x: np.array(x, copy=False) is x, A)
    check(lambda np, x: np.array(x, copy=False, dtype=int), A)
    check(lambda np, x: np.array(x.T, copy=np._CopyMode.IF_NEEDED), A)
    check(lambda np, x: np.array(x, copy=np._CopyMode.ALWAYS) is x, A)


def test_copies_of_objects_are_deep() -> None:
    inner = [1]
    array = fnp.array([inner, None], dtype=object)
    copied = copy.deepcopy(array)
    assert copied[0] == inner
    assert copied[0] is not inner
    assert copy.copy(array)[0] is inner


def test_functions_that_numpy_wrote_in_c_do_not_bind() -> None:
    class Maker:
        array, zeros = fnp.array, fnp.zeros

    np.testing.assert_array_equal(Maker().array([1, 2]), [1, 2])
    np.testing.assert_array_equal(Maker().zeros(2), [0, 0])
    assert pickle.loads(pickle.dumps(fnp.array)) is fnp.array


def test_a_sum_of_negative_zeros() -> None:
    zeros = np.full((3, 4), -0.0)
    for start in (-0.0, 0.0, 2.0):
        check(lambda np, x, start=start: np.sum(x, initial=start), zeros)
        check(lambda np, x, start=start: np.add.reduce(x, 1, initial=start), zeros)


def test_products_in_place() -> None:
    def program(np: Any, x: Any, y: Any) -> Any:
        x @= y
        return x

    square = np.arange(16.0).reshape(4, 4)
    check(program, A.copy(), square, rtol=1e-12)
    check(program, A[0].copy(), A[0])
    check(program, square, A[0])


def test_arguments_that_numpy_refuses() -> None:
    check(lambda np, x: np.where(x > 3, x=x, y=x), A)
    check(lambda np, x: np.add.reduce(x, 0, None, "invalid"), A)
    check(lambda np, x: np.sum(x, no_such_option=1), A)
    check(lambda np, x: np.putmask(a=x, mask=x > 3, values=0), A.copy())


def test_operators_of_objects_with_a_ufunc_override() -> None:
    class Tracked:
        def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> str:
            return f"{ufunc.__name__} {method} {[type(value).__name__ for value in inputs]}"

        def __radd__(self, other: Any) -> str:
            return "never called"

    for x in (A, fnp.asarray(A) * 1):
        assert x + Tracked() == "add __call__ ['ndarray', 'Tracked']"
        assert fnp.sin(Tracked(), out=x) == "sin __call__ ['Tracked']"
