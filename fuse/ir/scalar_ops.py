"""The elementwise rows of the op table.

Meaning: each op is the NumPy ufunc (or SciPy special function) of the same name on operands of exactly the
dtypes of one of its loops; conversions are nodes of their own (`convert`). Integer overflow wraps, division
by zero and NaN follow NumPy; floating-point warnings are not part of the meaning. Operands have one shape, or
are 0-d and stand for every element; other broadcasting is a node of its own (`broadcast`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fuse.errors import VerifyError
from fuse.ir.types import Shape, Type


@dataclass(frozen=True)
class ScalarOp:
    """One elementwise op.

    cost: rough machine operations per element in a vectorised loop, for the planner.
    commutative: swapping the two operands gives the same bits.
    immediate: positions of operands that should be constants in the code (divisors, shift counts).
    """

    name: str
    arity: int
    dtype_rule: Callable[..., np.dtype]
    meaning: Callable[..., Any]
    cost: float = 1.0
    commutative: bool = False
    immediate: tuple[int, ...] = ()


_BOOL = np.dtype(bool)

# name: (cost, commutative, immediate operands)
_UFUNCS: Mapping[str, tuple[float, bool, tuple[int, ...]]] = {
    "add": (1, True, ()),
    "subtract": (1, False, ()),
    "multiply": (1, True, ()),
    "divide": (4, False, ()),
    "floor_divide": (20, False, (1,)),
    "remainder": (20, False, (1,)),
    "fmod": (20, False, (1,)),
    "power": (40, False, ()),
    "negative": (1, False, ()),
    "positive": (0, False, ()),
    "conjugate": (1, False, ()),
    "absolute": (1, False, ()),
    "sign": (2, False, ()),
    "heaviside": (3, False, ()),
    "copysign": (1, False, ()),
    "nextafter": (8, False, ()),
    "spacing": (6, False, ()),
    "ldexp": (6, False, ()),
    "sqrt": (6, False, ()),
    "cbrt": (25, False, ()),
    "square": (1, False, ()),
    "reciprocal": (4, False, ()),
    "rint": (1, False, ()),
    "floor": (1, False, ()),
    "ceil": (1, False, ()),
    "trunc": (1, False, ()),
    "exp": (15, False, ()),
    "exp2": (15, False, ()),
    "expm1": (25, False, ()),
    "log": (20, False, ()),
    "log2": (20, False, ()),
    "log10": (20, False, ()),
    "log1p": (25, False, ()),
    "logaddexp": (45, False, ()),
    "logaddexp2": (45, False, ()),
    "sin": (20, False, ()),
    "cos": (20, False, ()),
    "tan": (35, False, ()),
    "arcsin": (25, False, ()),
    "arccos": (25, False, ()),
    "arctan": (25, False, ()),
    "arctan2": (35, False, ()),
    "sinh": (25, False, ()),
    "cosh": (25, False, ()),
    "tanh": (25, False, ()),
    "arcsinh": (35, False, ()),
    "arccosh": (35, False, ()),
    "arctanh": (30, False, ()),
    "hypot": (12, False, ()),
    "deg2rad": (1, False, ()),
    "rad2deg": (1, False, ()),
    "maximum": (2, False, ()),
    "minimum": (2, False, ()),
    "fmax": (2, False, ()),
    "fmin": (2, False, ()),
    "isnan": (1, False, ()),
    "isinf": (1, False, ()),
    "isfinite": (1, False, ()),
    "isnat": (1, False, ()),
    "signbit": (1, False, ()),
    "equal": (1, True, ()),
    "not_equal": (1, True, ()),
    "less": (1, False, ()),
    "less_equal": (1, False, ()),
    "greater": (1, False, ()),
    "greater_equal": (1, False, ()),
    "logical_and": (1, True, ()),
    "logical_or": (1, True, ()),
    "logical_xor": (1, True, ()),
    "logical_not": (1, False, ()),
    "bitwise_and": (1, True, ()),
    "bitwise_or": (1, True, ()),
    "bitwise_xor": (1, True, ()),
    "invert": (1, False, ()),
    "left_shift": (2, False, (1,)),
    "right_shift": (2, False, (1,)),
    "bitwise_count": (2, False, ()),
    "gcd": (60, True, ()),
    "lcm": (60, True, ()),
}

_SPECIAL = {"erf": 25.0, "erfc": 35.0, "gammaln": 60.0}

_STRING_COMPARISONS = frozenset({"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"})


@functools.cache
def ufunc_result(name: str, dtypes: tuple[np.dtype, ...]) -> np.dtype:
    """The dtype of NumPy's loop for operands of exactly these dtypes; VerifyError if there is none."""
    if name in _STRING_COMPARISONS and all(dtype.kind == "T" for dtype in dtypes):
        return _BOOL
    ufunc = getattr(np, name)
    try:
        resolved = ufunc.resolve_dtypes((*dtypes, None))
    except TypeError as error:
        raise VerifyError(f"{name} has no loop for {', '.join(map(str, dtypes))}: {error}") from error
    if resolved[:-1] != dtypes:
        raise VerifyError(
            f"{name} takes {', '.join(map(str, resolved[:-1]))}, "
            f"not {', '.join(map(str, dtypes))}; convert first"
        )
    result: np.dtype = resolved[-1]
    return result


def _ufunc_row(name: str, cost: float, commutative: bool, immediate: tuple[int, ...]) -> ScalarOp:
    ufunc = getattr(np, name)
    rule = functools.partial(_ufunc_rule, name)
    return ScalarOp(name, ufunc.nin, rule, ufunc, cost, commutative, immediate)


def _ufunc_rule(name: str, *dtypes: np.dtype) -> np.dtype:
    return ufunc_result(name, dtypes)


def _same_float(*dtypes: np.dtype) -> np.dtype:
    if dtypes[0].kind != "f":
        raise VerifyError(f"a floating-point operand is needed, not {dtypes[0]}")
    return dtypes[0]


def _special(name: str) -> Callable[..., Any]:
    def evaluate(value: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(value)

    return evaluate


def _select_rule(condition: np.dtype, then: np.dtype, otherwise: np.dtype) -> np.dtype:
    if condition != _BOOL or then != otherwise:
        raise VerifyError(f"select takes bool and twice one dtype, not {condition}, {then}, {otherwise}")
    return then


def _part_rule(value: np.dtype) -> np.dtype:
    if value.kind != "c":
        raise VerifyError(f"a part of a complex number, not of {value}")
    return np.dtype(f"f{value.itemsize // 2}")


def _complex_rule(real: np.dtype, imaginary: np.dtype) -> np.dtype:
    if real != imaginary or real.kind != "f" or real.itemsize < 4:
        raise VerifyError(f"complex takes twice float32 or float64, not {real}, {imaginary}")
    return np.dtype(f"c{2 * real.itemsize}")


def _complex(real: np.ndarray, imaginary: np.ndarray) -> np.ndarray:
    """A complex array of its two parts, infinities and NaN included."""
    found = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imaginary)), np.result_type(real, 1j))
    found.real, found.imag = real, imaginary
    return found


SCALAR_OPS: Mapping[str, ScalarOp] = {
    **{name: _ufunc_row(name, *row) for name, row in _UFUNCS.items()},
    **{name: ScalarOp(name, 1, _same_float, _special(name), cost) for name, cost in _SPECIAL.items()},
    "real": ScalarOp("real", 1, _part_rule, lambda value: np.array(np.real(value)), 1.0),
    "imag": ScalarOp("imag", 1, _part_rule, lambda value: np.array(np.imag(value)), 1.0),
    "complex": ScalarOp("complex", 2, _complex_rule, _complex, 1.0),
    "select": ScalarOp("select", 3, _select_rule, np.where, 1.0),
}


def infer_elementwise(name: str, types: tuple[Type, ...]) -> Type:
    """The type of an elementwise op over operands of these types."""
    row = SCALAR_OPS[name]
    if len(types) != row.arity:
        raise VerifyError(f"{name} takes {row.arity} operands, not {len(types)}")
    return Type(row.dtype_rule(*(operand.dtype for operand in types)), common_shape(name, types))


def common_shape(name: str, types: tuple[Type, ...]) -> Shape:
    """The one shape of the operands that are not 0-d."""
    shapes = {operand.shape for operand in types if operand.shape}
    if len(shapes) > 1:
        raise VerifyError(f"{name} over shapes {' and '.join(map(str, shapes))}; broadcast first")
    return shapes.pop() if shapes else ()
