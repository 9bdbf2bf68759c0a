"""The scalar math library: NumPy's float functions as expressions over scalar IR.

`MATH` maps the name of a NumPy ufunc (and `erf`, `erfc`, `gammaln` of SciPy) to an emitter `f(s: Scalar,
*args: ir.Value) -> ir.Value`. The element type of the first argument, float or double, is the type of the
result; a scalar or a vector of any width gives the same bits. No function calls a library. Errors are
measured, function by function, in `docs/accuracy.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fuse.codegen.math import (
    exponential,
    hyperbolic,
    inverse_hyperbolic,
    inverse_trigonometric,
    logarithm,
    power,
    rounding,
    special,
    trigonometric,
)
from fuse.codegen.math.dispatch import Emitter

_NAMES = {
    exponential: ("exp", "exp2", "expm1"),
    logarithm: ("log", "log2", "log10", "log1p"),
    power: ("power", "sqrt", "cbrt", "hypot"),
    trigonometric: ("sin", "cos", "tan", "deg2rad", "rad2deg"),
    inverse_trigonometric: ("arcsin", "arccos", "arctan", "arctan2"),
    hyperbolic: ("sinh", "cosh", "tanh"),
    inverse_hyperbolic: ("arcsinh", "arccosh", "arctanh"),
    special: ("erf", "erfc", "gammaln", "logaddexp", "logaddexp2"),
    rounding: (
        "floor", "ceil", "rint", "trunc", "fmod", "remainder", "floor_divide",
        "nextafter", "spacing", "copysign", "sign", "heaviside", "ldexp",
    ),
}  # fmt: skip

MATH: Mapping[str, Emitter] = MappingProxyType(
    {name: getattr(family, name) for family, names in _NAMES.items() for name in names}
)
