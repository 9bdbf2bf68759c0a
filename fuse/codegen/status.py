"""What a kernel tells of overflows, divisions by zero and invalid operations: perhaps there was one, or none.

The status flags of the processor are sticky: cleared where a worker starts, read where it ends, they cost
nothing in between. What does not raise them in time (a logarithm by table, a division of integers) is
checked by its result, lane by lane. Flags are also raised where NumPy would not warn (a comparison with NaN,
a step inside a polynomial), so a word that is set only asks for a second look; a word that is not set is an
answer. On a processor whose flags are not known here the word is always set.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from llvmlite import ir

from fuse.codegen.complex import parts
from fuse.codegen.dates import NAT
from fuse.codegen.dtypes import I32, I64, POINTER, vector, word
from fuse.codegen.frame import Frame, store_word
from fuse.codegen.loops import when
from fuse.codegen.scalar import Scalar
from fuse.ir.float_errors import SILENT
from fuse.plan.kernels import DOUBT

_X86, _ARM = 0b1101, 0b0111
"""Invalid, division by zero and overflow, among the flags of MXCSR and of FPSR."""
_ALL_X86 = 0b111111
_NOT_FINITE = 0b1000000111
"""The classes of `llvm.is.fpclass`: both kinds of NaN, both infinities."""

FLAGGED = frozenset({"add", "subtract", "multiply", "divide", "sqrt", "square", "reciprocal", "exp", "exp2",
                     "deg2rad", "rad2deg"})  # fmt: skip
"""Ops of float32 and float64 whose own instructions raise the flags."""
_DIVISIONS = frozenset({"floor_divide", "remainder", "fmod"})


class Status:
    """The checks of one kernel; `begin` and `end` stand around its loops."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.architecture = frame.target.architecture
        self.before: ir.Value | None = None
        self.doubts: dict[int, ir.Value] = {}
        frame.scalar.checked = self.check

    def begin(self, b: ir.IRBuilder) -> None:
        """Clear the flags, and keep what they were."""
        if self.architecture == "x86_64":
            self.before = _memory(self.frame)
            cleared = _memory(self.frame)
            b.call(_mxcsr(b, "st"), [self.before])
            register = b.load(self.before, typ=I32)
            b.store(b.and_(register, ir.Constant(I32, ~_ALL_X86)), cleared)
            b.call(_mxcsr(b, "ld"), [cleared])
        elif self.architecture == "aarch64":
            b.asm(ir.FunctionType(ir.VoidType(), [I64]), "msr fpsr, $0", "r", [word(0)], True)

    def end(self, b: ir.IRBuilder) -> None:
        """Set the word of the control block when something may have happened."""
        doubt = self._flags(b)
        for lanes in self.doubts.values():
            doubt = b.or_(doubt, self.frame.scalar.any(b.load(lanes, typ=lanes.allocated)))
        with when(b, doubt, "doubt"):
            store_word(b, word(1), self.frame.control, DOUBT)

    def _flags(self, b: ir.IRBuilder) -> ir.Value:
        if self.architecture == "x86_64":
            after = _memory(self.frame)
            b.call(_mxcsr(b, "st"), [after])
            b.call(_mxcsr(b, "ld"), [self.before])
            raised = b.and_(b.load(after, typ=I32), ir.Constant(I32, _X86))
            return b.icmp_unsigned("!=", raised, ir.Constant(I32, 0))
        if self.architecture == "aarch64":
            register = b.asm(ir.FunctionType(I64, []), "mrs $0, fpsr", "=r", [], True)
            return b.icmp_unsigned("!=", b.and_(register, word(_ARM)), word(0))
        return ir.Constant(ir.IntType(1), 1)

    # Ops that raise no flags

    def check(
        self,
        op: str,
        operands: Sequence[ir.Value],
        dtypes: Sequence[np.dtype],
        value: ir.Value,
        result: np.dtype,
    ) -> None:
        """Note the lanes in which an op may have met what NumPy warns of, unless its instructions tell."""
        doubtful = _doubtful(self.frame.scalar, op, operands, dtypes, value, result)
        if doubtful is None:
            return
        b = self.frame.builder
        place = self._lanes(doubtful.type)
        b.store(b.or_(b.load(place, typ=doubtful.type), doubtful), place)

    def _lanes(self, kind: ir.Type) -> ir.Value:
        count = kind.count if isinstance(kind, ir.VectorType) else 1
        if count not in self.doubts:
            place = self.frame.alloca(kind)
            place.allocated = kind
            self.frame.entry.store(ir.Constant(kind, None), place)
            self.doubts[count] = place
        return self.doubts[count]


def _doubtful(
    s: Scalar,
    op: str,
    operands: Sequence[ir.Value],
    dtypes: Sequence[np.dtype],
    value: ir.Value,
    result: np.dtype,
) -> ir.Value | None:
    source = dtypes[0]
    if source.kind in "iu" and op in _DIVISIONS:
        return _integer_division(s, source, *operands)
    if source.kind == "c":
        return _on_complex(s, op, operands, value, result)
    if result.kind == "m" and op in ("multiply", "divide", "remainder"):
        return s.icmp("==", value, NAT)
    if source.kind == "m" and op == "floor_divide":
        return s.icmp("==", value, 0)
    if source.kind != "f":
        return None
    if op == "convert":
        return _conversion(s, operands[0], source, value, result)
    if op in SILENT or op == "bitcast" or result.kind != "f" or (op in FLAGGED and result.itemsize > 2):
        return None
    return _is_not_finite(s, value)


def _on_complex(
    s: Scalar, op: str, operands: Sequence[ir.Value], value: ir.Value, result: np.dtype
) -> ir.Value | None:
    """A size or a cast that is not finite, an order of what is no number."""
    if op == "absolute":
        return _is_not_finite(s, value)
    if op == "convert" and result.kind == "c":
        real, imaginary = parts(s, value)
        return s.or_(_is_not_finite(s, real), _is_not_finite(s, imaginary))
    if op not in ("less", "less_equal", "greater", "greater_equal"):
        return None
    first, *rest = (s.isnan(part) for operand in operands for part in parts(s, operand))
    for other in rest:
        first = s.or_(first, other)
    return first


def _integer_division(s: Scalar, dtype: np.dtype, value: ir.Value, divisor: ir.Value) -> ir.Value:
    """A zero divisor, or the one quotient that is too large."""
    zero = s.icmp("==", divisor, 0)
    if dtype.kind == "u":
        return zero
    smallest = -(1 << (dtype.itemsize * 8 - 1))
    return s.or_(zero, s.and_(s.icmp("==", divisor, -1), s.icmp("==", value, smallest)))


def _conversion(
    s: Scalar, operand: ir.Value, source: np.dtype, value: ir.Value, result: np.dtype
) -> ir.Value | None:
    """To integers everything outside the range, NaN included; to a shorter float what becomes infinite."""
    if result.kind == "f":
        return _is_not_finite(s, value) if result.itemsize < source.itemsize else None
    if result.kind == "b":
        return None
    if source.itemsize == 2:
        operand = s.fpext(operand, ir.FloatType())
    bits = result.itemsize * 8
    low, high = (-1.0, 2.0**bits) if result.kind == "u" else (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1))
    return s.not_(s.and_(s.fcmp(">=", operand, low), s.fcmp("<", operand, high)))


def _is_not_finite(s: Scalar, value: ir.Value) -> ir.Value:
    b, kind = s.builder, value.type
    is_vector = isinstance(kind, ir.VectorType)
    truth = vector(ir.IntType(1), kind.count) if is_vector else ir.IntType(1)
    element = {"double": "f64", "float": "f32", "half": "f16"}[str(kind.element if is_vector else kind)]
    name = f"llvm.is.fpclass.{f'v{kind.count}' if is_vector else ''}{element}"
    function = b.module.globals.get(name) or ir.Function(b.module, ir.FunctionType(truth, [kind, I32]), name)
    return b.call(function, [value, ir.Constant(I32, _NOT_FINITE)])


def _memory(frame: Frame) -> ir.Value:
    place = frame.alloca(I32)
    place.type = POINTER
    return place


def _mxcsr(b: ir.IRBuilder, way: str) -> ir.Function:
    name = f"llvm.x86.sse.{way}mxcsr"
    found: ir.Function | None = b.module.globals.get(name)
    return found or ir.Function(b.module, ir.FunctionType(ir.VoidType(), [POINTER]), name)
