"""The math library against mpmath, NumPy and itself: a sample of what `python -m tests.accuracy` measures."""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.special

from fuse.codegen.math import MATH
from tests.accuracy.bounds import BOUNDS, EXACT
from tests.accuracy.cases import HARD, SPECIAL, hard_arguments, random_bits
from tests.accuracy.compiled import AVX2, HOST, SSE2, Kernel
from tests.accuracy.reference import worst
from tests.accuracy.single import sampled

DTYPES = ("float64", "float32")
BINARY = ("fmod", "remainder", "floor_divide", "nextafter", "copysign", "heaviside")
UNARY_EXACT = tuple(name for name in EXACT if name not in (*BINARY, "ldexp"))


def same_bits(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where both are the same number, sign of zero included, or both NaN."""
    word = f"u{left.itemsize}"
    return (left.view(word) == right.view(word)) | (np.isnan(left) & np.isnan(right))


def arguments_in(name: str, dtype: str, count: int) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        return [array.astype(dtype) for array in hard_arguments(name, seed=5, count=count)]


def library_values(name: str, arrays: list[np.ndarray]) -> np.ndarray:
    function = getattr(np, name, None) or getattr(scipy.special, name)
    with np.errstate(all="ignore"):
        return function(*arrays)


def special_arguments(count: int, dtype: str) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        values = np.unique(SPECIAL.astype(dtype).view(f"u{np.dtype(dtype).itemsize}")).view(dtype)
    return [grid.ravel() for grid in np.meshgrid(*[values] * count)]


@pytest.mark.parametrize("name", HARD)
def test_float64_is_within_its_bound(name: str) -> None:
    arrays = hard_arguments(name, seed=7, count=250)
    error, place, count = worst(name, Kernel(MATH[name], ["float64"] * len(arrays))(*arrays), arrays)
    assert count > 50
    assert error <= BOUNDS[name][0], f"{name}{place} is off by {error:.3f} ulp"


@pytest.mark.parametrize("name", HARD)
def test_float32_is_within_its_bound(name: str) -> None:
    error, place = sampled(name, arguments_in(name, "float32", 100_000))
    assert error <= BOUNDS[name][1], f"{name}{place} is off by {error:.3f} ulp"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", HARD)
def test_special_values_are_the_librarys(name: str, dtype: str) -> None:
    if name == "gammaln":
        pytest.skip("SciPy's is infinite for subnormals, where the true value is 700 or so")
    arrays = special_arguments(len(HARD[name]), dtype)
    got = Kernel(MATH[name], [dtype] * len(arrays))(*arrays)
    want = library_values(name, arrays)
    with np.errstate(all="ignore"):
        near = np.abs(got - want) <= 4 * np.spacing(np.abs(want))
    wrong = ~(same_bits(got, want) | (near & (np.signbit(got) == np.signbit(want))))
    assert not wrong.any(), [(*[a[wrong][:5] for a in arrays], got[wrong][:5], want[wrong][:5])]


def test_gammaln_at_special_values() -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, -2.0, 1.0, 2.0])
    got = Kernel(MATH["gammaln"], ["float64"])(x)
    np.testing.assert_array_equal(got, scipy.special.gammaln(x))


@pytest.mark.parametrize("target", [HOST, SSE2], ids=["host", "sse2"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY_EXACT)
def test_exact_functions_of_one_argument(name: str, dtype: str, target: object) -> None:
    rng = np.random.default_rng(11)
    with np.errstate(all="ignore"):
        x = np.concatenate([SPECIAL, random_bits(rng, 5000), rng.uniform(-99, 99, 999), np.arange(-9, 9) / 2])
        x = x.astype(dtype)
    got, want = Kernel(MATH[name], [dtype], 8, target)(x), library_values(name, [x])
    wrong = ~same_bits(got, want)
    assert not wrong.any(), (x[wrong][:5], got[wrong][:5], want[wrong][:5])


@pytest.mark.parametrize("target", [HOST, SSE2], ids=["host", "sse2"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_exact_functions_of_two_arguments(name: str, dtype: str, target: object) -> None:
    rng = np.random.default_rng(12)
    x, y = special_arguments(2, dtype)
    with np.errstate(all="ignore"):
        more = [random_bits(rng, 2000), rng.uniform(-99, 99, 2000), np.round(rng.uniform(-99, 99, 2000))]
        x = np.concatenate([x, *[m.astype(dtype) for m in more]])
        y = np.concatenate([y, *[rng.permutation(m).astype(dtype) for m in more]])
    got, want = Kernel(MATH[name], [dtype, dtype], 8, target)(x, y), library_values(name, [x, y])
    wrong = ~same_bits(got, want)
    assert not wrong.any(), (x[wrong][:5], y[wrong][:5], got[wrong][:5], want[wrong][:5])


@pytest.mark.parametrize("integer", ["int32", "int64"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_ldexp(dtype: str, integer: str) -> None:
    with np.errstate(all="ignore"):
        exponents = np.concatenate([np.arange(-2200, 2200, 17), [0, 1, -1, 2**31 - 1, -(2**31)]])
        x, n = np.meshgrid(SPECIAL.astype(dtype), exponents.astype(integer))
        want = np.ldexp(x.ravel(), n.ravel())
    got = Kernel(MATH["ldexp"], [dtype, integer])(x.ravel(), n.ravel())
    assert same_bits(got, want).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", HARD)
def test_bits_do_not_depend_on_width_or_target(name: str, dtype: str) -> None:
    arrays = arguments_in(name, dtype, 2000)
    kinds = [dtype] * len(arrays)
    want = Kernel(MATH[name], kinds, 8)(*arrays)
    for lanes, target in ((1, HOST), (16, HOST), (4, AVX2)):
        got = Kernel(MATH[name], kinds, lanes, target)(*arrays)
        wrong = ~same_bits(got, want)
        assert not wrong.any(), (lanes, [a[wrong][:3] for a in arrays], got[wrong][:3], want[wrong][:3])


@pytest.mark.parametrize("name", HARD)
def test_bounds_hold_without_fused_multiply_add(name: str) -> None:
    arrays = hard_arguments(name, seed=9, count=120)
    kernel = Kernel(MATH[name], ["float64"] * len(arrays), 2, SSE2)
    error, place, _ = worst(name, kernel(*arrays), arrays)
    assert error <= BOUNDS[name][0], f"{name}{place} is off by {error:.3f} ulp"


@pytest.mark.parametrize("name", HARD)
def test_float32_bounds_hold_without_fused_multiply_add(name: str) -> None:
    error, place = sampled(name, arguments_in(name, "float32", 50_000), 2, SSE2)
    assert error <= BOUNDS[name][1], f"{name}{place} is off by {error:.3f} ulp"


@pytest.mark.parametrize("name", ["log2", "log10"])
def test_logarithms_of_whole_powers_are_whole(name: str) -> None:
    powers = np.arange(11)
    x = (2.0 if name == "log2" else 10.0) ** powers
    for dtype in DTYPES:
        assert np.array_equal(Kernel(MATH[name], [dtype])(x.astype(dtype)), powers)


@pytest.mark.parametrize("target", [HOST, SSE2], ids=["host", "sse2"])
@pytest.mark.parametrize("name", MATH)
def test_no_function_calls_a_library(name: str, target: object) -> None:
    kinds = ["float64"] * (2 if name in BINARY or len(HARD.get(name, ())) == 2 else 1)
    if name == "ldexp":
        kinds = ["float64", "int64"]
    assembly = Kernel(MATH[name], kinds, 8 if target is HOST else 2, target).assembly
    assert not re.search(r"\bcall\w*\s|jmp\s+(exp|log|sin|cos|fmod|floor|fma)", assembly)
