"""NumPy's functions one by one, with arguments of any size: what `bench.single_ops` goes through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

Array = np.ndarray
Namespace = Any
Make = Callable[[np.random.Generator, int], tuple[Array, ...]]
Run = Callable[..., Any]


@dataclass(frozen=True)
class Operation:
    """`run` takes NumPy or `fuse.numpy`, and the arrays that `make` gives for a size."""

    name: str
    run: Run
    make: Make


# Arguments


def numbers(dtype: str, count: int = 1, low: float = 1, high: float = 100) -> Make:
    """Vectors of numbers that every function takes."""

    def make(rng: np.random.Generator, size: int) -> tuple[Array, ...]:
        return tuple(rng.uniform(low, high, size).astype(dtype) for _ in range(count))

    return make


def signs(dtype: str, count: int = 1) -> Make:
    """Vectors of numbers of both signs."""
    return numbers(dtype, count, -100, 100)


def bools(count: int = 1, share: float = 0.5) -> Make:
    """Vectors of bools, this share of them true."""

    def make(rng: np.random.Generator, size: int) -> tuple[Array, ...]:
        return tuple(rng.random(size) < share for _ in range(count))

    return make


def matrix(dtype: str, width: int = 0, count: int = 1) -> Make:
    """Matrices of so many columns, square ones without a number."""

    def make(rng: np.random.Generator, size: int) -> tuple[Array, ...]:
        columns = width or int(size**0.5)
        shape = (size // columns, columns)
        return tuple(rng.uniform(1, 100, shape).astype(dtype) for _ in range(count))

    return make


def mixed(*makes: Make) -> Make:
    """The arguments of several, one behind the other."""
    return lambda rng, size: tuple(array for make in makes for array in make(rng, size))


def places(rng: np.random.Generator, size: int) -> tuple[Array, ...]:
    """Random places in an array of the size."""
    return (rng.integers(0, size, size),)


# Operations

_UNARY = (
    "negative absolute sign square sqrt cbrt reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan "
    "arcsinh arctan sinh cosh tanh floor ceil trunc rint isnan isinf isfinite signbit deg2rad fabs"
)
_INTEGER_UNARY = "negative absolute sign square invert bitwise_count"
_BINARY = (
    "add subtract multiply divide floor_divide remainder fmod power maximum minimum fmax fmin arctan2 hypot "
    "logaddexp copysign nextafter less less_equal equal not_equal greater"
)
_INTEGER_BINARY = (
    "add subtract multiply divide floor_divide remainder maximum minimum bitwise_and bitwise_or bitwise_xor "
    "left_shift right_shift less equal gcd"
)
_LOGICAL = "logical_and logical_or logical_xor"
_FOLDS = "sum prod min max mean var std any all argmin argmax"
_NAN_FOLDS = "nansum nanmin nanmax nanmean nanvar nanargmax"


def _call(name: str, *rest: Any, **options: Any) -> Run:
    return lambda xp, *arrays: getattr(xp, name)(*arrays, *rest, **options)


def _ufuncs() -> Iterator[Operation]:
    for dtype in ("float64", "float32"):
        made = numbers(dtype, low=0.01, high=10)
        yield from (Operation(f"{name} {dtype}", _call(name), made) for name in _UNARY.split())
        pairs = numbers(dtype, 2, 0.5, 10)
        yield from (Operation(f"{name} {dtype}", _call(name), pairs) for name in _BINARY.split())
        for name in ("arcsin", "arccos", "arctanh"):
            yield Operation(f"{name} {dtype}", _call(name), numbers(dtype, low=-0.9, high=0.9))
    for dtype in ("int64", "int32", "uint8"):
        made, pairs = numbers(dtype), numbers(dtype, 2, 1, 7)
        yield from (Operation(f"{name} {dtype}", _call(name), made) for name in _INTEGER_UNARY.split())
        yield from (Operation(f"{name} {dtype}", _call(name), pairs) for name in _INTEGER_BINARY.split())
    yield from (Operation(f"{name} bool", _call(name), bools(2)) for name in _LOGICAL.split())
    yield Operation("logical_not bool", _call("logical_not"), bools())


def _shifted() -> Iterator[Operation]:
    """Operands of other shapes and orders."""
    square = matrix("float64", 0, 2)
    yield Operation("add scalar float64", lambda xp, x: x + 1.0, numbers("float64"))
    yield Operation("add column", lambda xp, x: x + x[:, :1], matrix("float64"))
    yield Operation("add row", lambda xp, x: x + x[0], matrix("float64"))
    yield Operation("add transposed", lambda xp, x, y: x + y.T[: x.shape[0], : x.shape[1]], _square(2))
    yield Operation("add both transposed", lambda xp, x, y: x.T + y.T, square)
    yield Operation("add every second", lambda xp, x: x[::2] + x[1::2], numbers("float64"))
    yield Operation("add backwards", lambda xp, x: x + x[::-1], numbers("float64"))
    yield Operation("add columns", lambda xp, x: x[:, 0] + x[:, 1], matrix("float64", 4))
    yield Operation("add channels float32", lambda xp, x: x + x[0], matrix("float32", 3))
    for source, target in (("float64", "float32"), ("float32", "float64"), ("int64", "float64"),
                           ("float64", "int64"), ("uint8", "float32"), ("float64", "bool"),
                           ("int64", "int32"), ("bool", "float64")):  # fmt: skip
        yield Operation(f"astype {source} {target}", partial(_astype, target), numbers(source))


def _astype(target: str, xp: Namespace, x: Any) -> Any:
    return x.astype(target)


def _square(count: int) -> Make:
    def make(rng: np.random.Generator, size: int) -> tuple[Array, ...]:
        side = int(size**0.5)
        return tuple(rng.uniform(1, 100, (side, side)) for _ in range(count))

    return make


def _folds() -> Iterator[Operation]:
    for dtype in ("float64", "float32", "int64", "uint8"):
        small = (
            numbers(dtype, low=1 - 1e-6, high=1 + 1e-6) if dtype[0] == "f" else numbers(dtype, low=0, high=50)
        )
        for name in _FOLDS.split():
            yield Operation(f"{name} {dtype}", _call(name), small)
            yield Operation(f"{name} axis 0 {dtype}", _call(name, axis=0), matrix(dtype))
            yield Operation(f"{name} axis 1 {dtype}", _call(name, axis=1), matrix(dtype))
    for name in ("sum", "max", "mean", "any"):
        yield Operation(f"{name} axis 0, 4 columns", _call(name, axis=0), matrix("float64", 4))
        yield Operation(f"{name} axis 1, 4 columns", _call(name, axis=1), matrix("float64", 4))
    for name in ("sum", "any", "all", "count_nonzero", "argmax"):
        yield Operation(f"{name} bool", _call(name), bools(share=0.0 if name == "any" else 1.0))
    for name in _NAN_FOLDS.split():
        yield Operation(f"{name} float64", _call(name), numbers("float64"))
        yield Operation(f"{name} axis 1 float64", _call(name, axis=1), matrix("float64"))
    yield Operation("ptp float64", _call("ptp"), numbers("float64"))
    yield Operation("median float64", _call("median"), numbers("float64"))
    yield Operation("percentile float64", _call("percentile", 30), numbers("float64"))
    yield Operation("average float64", _call("average"), numbers("float64"))


def _movements() -> Iterator[Operation]:
    one, square = numbers("float64"), matrix("float64")
    yield Operation("copy", _call("copy"), one)
    yield Operation("roll", _call("roll", 7), one)
    yield Operation("roll axis 0", _call("roll", 7, axis=0), square)
    yield Operation("roll axis 1", _call("roll", 7, axis=1), square)
    yield Operation("flip + 0", lambda xp, x: xp.flip(x) + 0, one)
    yield Operation("flip copied", lambda xp, x: xp.copy(xp.flip(x)), one)
    yield Operation("transpose copied", lambda xp, x: xp.ascontiguousarray(x.T), square)
    for mode in ("constant", "edge", "reflect", "wrap"):
        yield Operation(f"pad {mode}", _call("pad", 3, mode=mode), one)
        yield Operation(f"pad {mode} 2-D", _call("pad", 3, mode=mode), square)
    yield Operation("tile", _call("tile", 3), one)
    yield Operation("tile 2-D", _call("tile", (2, 3)), square)
    yield Operation("repeat", _call("repeat", 3), one)
    yield Operation("repeat axis 0", _call("repeat", 3, axis=0), square)
    yield Operation("repeat axis 1", _call("repeat", 3, axis=1), square)
    yield Operation("take", _call("take"), mixed(one, places))
    yield Operation("take float32", _call("take"), mixed(numbers("float32"), places))
    yield Operation("x[places]", lambda xp, x, p: x[p], mixed(one, places))
    yield Operation("take rows", lambda xp, x: x[xp.arange(0, x.shape[0], 2)], square)
    yield Operation("x[mask]", lambda xp, x, m: x[m], mixed(one, bools()))
    yield Operation("compress", lambda xp, x, m: xp.compress(m, x), mixed(one, bools()))
    yield Operation("where", lambda xp, m, x, y: xp.where(m, x, y), mixed(bools(), numbers("float64", 2)))
    yield Operation("where scalar", lambda xp, x: xp.where(x > 50, x, 0.0), one)
    yield Operation("select", lambda xp, x: xp.select([x > 80, x > 40], [x, -x], 0.0), one)
    yield Operation("clip", _call("clip", 20, 80), one)
    yield Operation("clip int64", _call("clip", 20, 80), numbers("int64"))
    yield Operation("concatenate", lambda xp, x, y: xp.concatenate([x, y]), numbers("float64", 2))
    yield Operation("concatenate axis 1", lambda xp, x, y: xp.concatenate([x, y], 1), _square(2))
    yield Operation("stack", lambda xp, x, y: xp.stack([x, y]), numbers("float64", 2))
    yield Operation("column_stack", lambda xp, x, y: xp.column_stack([x, y]), numbers("float64", 2))
    yield Operation("vstack", lambda xp, x, y: xp.vstack([x, y]), numbers("float64", 2))
    yield Operation("triu", _call("triu"), square)
    yield Operation("diag", _call("diag"), square)
    yield Operation("delete", _call("delete", 3), one)
    yield Operation("insert", _call("insert", 3, 1.0), one)


def _searches() -> Iterator[Operation]:
    one = numbers("float64")
    yield Operation(
        "searchsorted", lambda xp, x, v: xp.searchsorted(xp.arange(100.0), x), numbers("float64", 2)
    )
    yield Operation("digitize", lambda xp, x: xp.digitize(x, xp.arange(0.0, 100.0, 10.0)), one)
    yield Operation("interp", lambda xp, x: xp.interp(x, xp.arange(101.0), xp.arange(101.0) ** 2), one)
    yield Operation("histogram", _call("histogram", 20), one)
    yield Operation("bincount", _call("bincount"), numbers("int64"))
    yield Operation("flatnonzero", _call("flatnonzero"), bools())
    yield Operation("nonzero", _call("nonzero"), bools())
    yield Operation("nonzero int64", _call("nonzero"), signs("int64"))
    yield Operation("argwhere", _call("argwhere"), bools(share=0.1))
    yield Operation("isin", lambda xp, x: xp.isin(x, xp.arange(5)), numbers("int64"))
    yield Operation("sort", _call("sort"), one)
    yield Operation("argsort", _call("argsort"), one)
    yield Operation("partition", _call("partition", 100), one)
    yield Operation("unique", _call("unique"), numbers("int64"))


def _composed() -> Iterator[Operation]:
    one, square = numbers("float64"), matrix("float64")
    yield Operation("gradient", _call("gradient"), one)
    yield Operation("gradient 2-D", _call("gradient", axis=1), square)
    yield Operation("diff", _call("diff"), one)
    yield Operation("diff axis 0", _call("diff", axis=0), square)
    yield Operation("ediff1d", _call("ediff1d"), one)
    yield Operation("cumsum", _call("cumsum"), one)
    yield Operation("cumprod", _call("cumprod"), numbers("float64", low=0.999, high=1.001))
    yield Operation("cumsum axis 0", _call("cumsum", axis=0), square)
    yield Operation("maximum.accumulate", lambda xp, x: xp.maximum.accumulate(x), one)
    yield Operation("round", _call("round", 2), one)
    yield Operation("nan_to_num", _call("nan_to_num"), one)
    yield Operation("isclose", _call("isclose"), numbers("float64", 2))
    yield Operation("array_equal", lambda xp, x: xp.array_equal(x, x + 0), one)
    yield Operation("dot vectors", _call("dot"), numbers("float64", 2))
    yield Operation("inner", _call("inner"), numbers("float64", 2))
    yield Operation("outer", lambda xp, x: xp.outer(x[: int(len(x) ** 0.5)], x[: int(len(x) ** 0.5)]), one)
    yield Operation("matmul matrix vector", lambda xp, x: x @ x[0], square)
    yield Operation("matmul narrow", lambda xp, x: x @ x[:8], matrix("float64", 8))
    yield Operation("matmul square", lambda xp, x: x[:400] @ x[:400].T, matrix("float64", 100))
    yield Operation("einsum trace of product", lambda xp, x, y: xp.einsum("ij,ij->i", x, y), _square(2))
    yield Operation("linspace", lambda xp, x: xp.linspace(0.0, 1.0, len(x)), one)
    yield Operation("arange", lambda xp, x: xp.arange(len(x)), one)
    yield Operation("full", lambda xp, x: xp.full(len(x), 3.0), one)
    yield Operation("zeros", lambda xp, x: xp.zeros(len(x)) + 0, one)
    yield Operation("meshgrid", lambda xp, x: xp.meshgrid(x[0], x[:, 0])[1] + 0, square)


def operations() -> list[Operation]:
    """All of them."""
    return [*_ufuncs(), *_shifted(), *_folds(), *_movements(), *_searches(), *_composed()]
