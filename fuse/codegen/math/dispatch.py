"""How one op name serves both precisions: an emitter each, or the double one around conversions."""

from __future__ import annotations

from collections.abc import Callable

from llvmlite import ir

from fuse.codegen.scalar import DOUBLE, FLOAT, Scalar, element_of

Emitter = Callable[..., ir.Value]


def by_precision(double: Emitter, single: Emitter, unfused: Emitter | None = None) -> Emitter:
    """An emitter that uses `double` or `single` by the element type of its first argument.

    `unfused` is a function of doubles that serves single precision on targets without a fused multiply-add,
    for a `single` that needs one to keep its bound.
    """

    def emit(s: Scalar, *args: ir.Value) -> ir.Value:
        if element_of(args[0].type) != FLOAT:
            return double(s, *args)
        return (_around(unfused) if unfused and not s.fma else single)(s, *args)

    emit.__doc__ = double.__doc__
    return emit


def widened(double: Emitter, narrow: Emitter | None = None) -> Emitter:
    """An emitter for both precisions that computes single precision in double and rounds once more.

    Single precision uses `narrow`, a less exact function of doubles, where one is given. The result is the
    true value's nearest single: at most 0.5 ulp and a trifle away.
    """
    return by_precision(double, _around(narrow or double))


def _around(inner: Emitter) -> Emitter:
    """A function of doubles between conversions from and to single precision."""

    def single(s: Scalar, *args: ir.Value) -> ir.Value:
        return s.fptrunc(inner(s, *[s.fpext(arg, DOUBLE) for arg in args]), FLOAT)

    return single
