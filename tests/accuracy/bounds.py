"""What each function promises: the largest error in ulps, for float64 and float32."""

from __future__ import annotations

ONE_ULP = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "hypot", "sin", "cos", "tan",
    "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "erf",
)  # fmt: skip

BOUNDS: dict[str, tuple[float, float]] = dict.fromkeys(ONE_ULP, (1.0, 1.0)) | {
    "sqrt": (0.5, 0.5),
    "power": (2.0, 1.0),
    "erfc": (2.0, 1.0),
    "gammaln": (2.0, 1.0),
    "logaddexp": (1.0, 1.0),
    "logaddexp2": (1.0, 1.0),
}

EXACT = (
    "floor", "ceil", "rint", "trunc", "sign", "spacing", "sqrt", "deg2rad", "rad2deg",
    "fmod", "remainder", "floor_divide", "nextafter", "copysign", "heaviside", "ldexp",
)  # fmt: skip
"""Functions whose bits are NumPy's."""
