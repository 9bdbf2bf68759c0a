"""Lengths: equal where they must be, folded where they are known, and right about every slice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuse.ir.interpret import Sizes
from fuse.ir.types import (
    STRING,
    SizeOf,
    Symbol,
    Type,
    compose_slices,
    dtype_name,
    dtype_of,
    element_count,
    size,
)

N, M = Symbol("n"), Symbol("m")
bound = st.none() | st.integers(-6, 6)
step = st.none() | st.integers(-3, 3).filter(bool)
slices = st.tuples(bound, bound, step)


def length(dim: object, n: int) -> int:
    sizes = Sizes()
    sizes.symbols[N] = n
    return sizes[dim]  # type: ignore[index]


@given(slices, st.integers(0, 8))
def test_the_length_of_a_slice(bounds: tuple[int | None, ...], n: int) -> None:
    want = len(np.arange(n)[slice(*bounds)])
    assert length(size("slice", N, *bounds), n) == want
    assert size("slice", n, *bounds) == want


@given(slices, slices, st.integers(0, 9))
def test_a_slice_of_a_slice(first: tuple[int | None, ...], second: tuple[int | None, ...], n: int) -> None:
    rows = np.arange(n)
    want = rows[slice(*first)][slice(*second)]
    for known in (n, N):
        combined = compose_slices(known, first, second)  # type: ignore[arg-type]
        if combined is not None:
            np.testing.assert_array_equal(rows[slice(*combined)], want)
    inner = size("slice", N, *first)
    assert length(size("slice", inner, *second), n) == want.size


def test_equal_slices_are_equal_lengths() -> None:
    """`x[1:][1:]` and `x[2:]` are aligned, `x[:5]` and `x[0:5]` too."""
    assert size("slice", size("slice", N, 1, None, 1), 1, None, 1) == size("slice", N, 2, None, 1)
    assert size("slice", N, None, 5, None) == size("slice", N, 0, 5, 1)
    assert size("slice", N, None, None, -1) == N
    assert size("slice", N, 0, None, -1) != N


def test_products_do_not_depend_on_order_or_nesting() -> None:
    assert size("multiply", N, 2, M) == size("multiply", size("multiply", M, N), 2)
    assert size("multiply", N, 0) == 0
    assert size("multiply", 1, N, 1) == N
    assert element_count((2, N, 3)) == size("multiply", 6, N)
    assert element_count(()) == 1
    assert length(element_count((2, N, 3)), 5) == 30


def test_known_lengths_fold() -> None:
    assert size("add", 2, 3) == 5
    assert isinstance(size("add", N, 3), SizeOf)
    assert length(size("add", N, N, 3), 4) == 11
    assert size("divide", 12, 5) == 2


@pytest.mark.parametrize(
    "name", ["bool", "int8", "uint64", "float16", "float64", "complex128", "datetime64[ns]", "str"]
)
def test_dtype_names_read_back(name: str) -> None:
    assert dtype_name(dtype_of(name)) == name


def test_types_print() -> None:
    assert str(Type(STRING, ())) == "str[]"
    assert str(Type(np.dtype(np.int8), (2, 3))) == "int8[2,3]"
