"""Complex numbers in programs, against NumPy: bits of arithmetic, views of parts, what stays NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fuse.numpy as fnp
from fuse import config
from fuse.integrations.capture.report import report
from tests.integrations.numpy_array.worlds import Program, check, lazily, recorded, symbolic

WORLDS = (lazily, recorded, symbolic)
DTYPES = [np.complex64, np.complex128]


def mandelbrot(np: Any, c: Any) -> Any:
    z, steps = c * 0, c.real * 0
    for _ in range(4):
        z = z * z + c
        steps = steps + (z.real * z.real + z.imag * z.imag < 4)
    return z, steps


def write_part(np: Any, a: Any) -> Any:
    a.real[1:] += 3
    a.imag = a.real * 2
    part = a.imag
    a[0] = 7
    return part


def write(np: Any, a: Any) -> Any:
    a[2:5] = 2 - 1j
    a[np.abs(a) > 1] = 0
    a *= 2j
    return a


EXACT: dict[str, Program] = {
    "arithmetic": lambda np, a: (a + 2) * (a - 1j) / (a + 3.5),
    "of two": lambda np, a: a * np.conj(a) - a / (a + a),
    "powers": lambda np, a: (a**2, np.square(a), a**3),
    "signs": lambda np, a: (-a, +a, a.conj(), np.conjugate(a) + 1),
    "parts": lambda np, a: (a.real + a.imag, np.real(a) * np.imag(a), a.T.real[1:]),
    "comparisons": lambda np, a: (a < 1j, a <= a, a > a + 1, a >= 0, a == a, a != 1),
    "tests": lambda np, a: (np.isnan(a), np.isinf(a), np.isfinite(a), np.logical_not(a)),
    "choices": lambda np, a: np.where(a.real > 0, a, -a.imag),
    "construction": lambda np, a: a.real + 1j * a.imag,
    "casts": lambda np, a: (a.astype(np.complex64), a.real.astype(np.complex128), a.astype(bool)),
    "to real": lambda np, a: a.astype(np.float64),
    "running sum": lambda np, a: np.cumsum(a),
    "shapes": lambda np, a: np.concatenate([a.ravel()[::2], np.stack([a, a]).ravel()]) * 2,
    "differences": lambda np, a: np.diff(a, axis=0),
    "a mask": lambda np, a: a[a.real > 0] * 2,
    "gathered": lambda np, a: a[np.array([2, 0, 1])] + 1,
    "mandelbrot": mandelbrot,
    "writes to parts": write_part,
    "writes": write,
    "a real target": lambda np, a: a.real.__setitem__(0, 1j),
    "extremes": lambda np, a: (np.max(a), np.argmin(a), np.sort(a.ravel())),
    "truth": lambda np, a: (np.any(a), a.all(), np.count_nonzero(a)),
    "functions of NumPy": lambda np, a: (np.exp(a), np.round(a, 1), np.clip(a, 0, 1), np.prod(a.ravel()[:3])),
    "no loop": lambda np, a: np.floor(a),
    "integers": lambda np, a: a * np.arange(a.shape[-1]),
}  # fmt: skip


def numbers(dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(3)
    found = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)
    if found.size > 70:
        special = [0, -0.0, np.inf, -np.inf, np.nan, 1]
        found.reshape(-1)[:36] = [complex(x, y) for x in special for y in special]
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_exact(name: str, dtype: type) -> None:
    for shape in [(100,), (9, 12), (3, 4, 2)]:
        check(EXACT[name], numbers(dtype, shape), worlds=WORLDS)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sizes_are_within_an_ulp(dtype: type) -> None:
    def program(np: Any, a: Any) -> Any:
        return np.abs(a), np.angle(a)

    check(program, numbers(dtype, (200,)), ulps=2, worlds=WORLDS)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums(dtype: type) -> None:
    a = np.abs(numbers(dtype, (9, 7))) * (1 + 2j) + 1
    a = a.astype(dtype)
    for axis in (None, 0, -1, (0, 1)):
        for keepdims in (False, True):
            check(
                lambda np, a, axis=axis, keepdims=keepdims: (
                    np.sum(a, axis=axis, keepdims=keepdims), a.mean(axis=axis, keepdims=keepdims)
                ),
                a,
                rtol=1e-5 if dtype is np.complex64 else 1e-13,
                worlds=WORLDS,
            )  # fmt: skip


def test_what_is_compiled_needs_no_library() -> None:
    with config.config(min_rows=0, raise_internal=True):
        a = fnp.asarray(numbers(np.complex128, (300,)))
        report().clear()
        z = (a * a + 1) / a.conj()
        np.asarray(np.where(z.real > 0, np.abs(z), (z - 1j).imag))
        assert not report().fallbacks
