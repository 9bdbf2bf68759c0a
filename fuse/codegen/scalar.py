"""The emitter of arithmetic: one method per operation, on scalars and on fixed-width vectors alike.

A value is an `ir.Value` whose type is `float`, `double`, an integer, or an LLVM vector of one of them; every
method accepts both forms and gives back the form it was given. Where two operands are expected, one of them
may be a Python number: it becomes a constant of the other's type. No instruction carries a fast-math flag, so
each operation has exactly one result, whatever the width.

Left out: memory (loads and stores of data belong to the loops), and operations that some target can only do
by calling a library (`llvm.exp`, `llvm.fma` without hardware, `llvm.floor` on SSE2).
"""

from __future__ import annotations

import functools
import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from llvmlite import ir

Number: TypeAlias = int | float
Operand: TypeAlias = ir.Value | Number

BOOL = ir.IntType(1)
INT32 = ir.IntType(32)
INT64 = ir.IntType(64)
FLOAT = ir.FloatType()
DOUBLE = ir.DoubleType()

RARE = (1, 2000)
"""Branch weights of a block that few inputs need; LLVM moves it out of the loop's straight line."""


@dataclass(frozen=True)
class FloatFormat:
    """The layout of an IEEE binary format. `mantissa` counts stored bits; `word` is the integer of the
    same size.
    """

    element: ir.Type
    word: ir.IntType
    mantissa: int
    bias: int

    @property
    def sign_bit(self) -> int:
        """The word whose only set bit is the sign."""
        return 1 << int(self.word.width - 1)

    @property
    def infinity(self) -> int:
        """The word of +inf; also the mask of the exponent field."""
        return (2 * self.bias + 1) << self.mantissa

    @property
    def rounder(self) -> float:
        """1.5 * 2**mantissa: adding it rounds a small value to an integer, kept in the low bits of the
        sum.
        """
        return 1.5 * 2.0**self.mantissa

    @property
    def tiny(self) -> float:
        """The smallest normal number."""
        return 2.0 ** (1 - self.bias)

    @property
    def splitter(self) -> float:
        """Dekker's constant: multiplying by it halves a significand."""
        return 2.0 ** ((self.mantissa + 2) // 2) + 1.0


SINGLE_FORMAT = FloatFormat(FLOAT, INT32, 23, 127)
DOUBLE_FORMAT = FloatFormat(DOUBLE, INT64, 52, 1023)


def element_of(kind: ir.Type) -> ir.Type:
    """The element type of a vector type; a scalar type itself."""
    return kind.element if isinstance(kind, ir.VectorType) else kind


def with_element(kind: ir.Type, element: ir.Type) -> ir.Type:
    """The type of the same width as `kind` (scalar or vector) whose element is `element`."""
    return ir.VectorType(element, kind.count) if isinstance(kind, ir.VectorType) else element


def lanes_of(kind: ir.Type) -> int:
    """How many elements a value of this type holds."""
    return int(kind.count) if isinstance(kind, ir.VectorType) else 1


def format_of(value: ir.Value) -> FloatFormat:
    """The floating-point format of a value's elements."""
    return SINGLE_FORMAT if element_of(value.type) == FLOAT else DOUBLE_FORMAT


@functools.cache
def _constant_text(element: str, number: str) -> str:
    """The spelling of a constant of the element type, hexadecimal for floats."""
    if element == "i1":
        return "true" if int(number) else "false"
    if element.startswith("i"):
        return number
    value = float(number)
    if element == "float":
        value = struct.unpack("f", struct.pack("f", value))[0]
    return f"0x{struct.unpack('Q', struct.pack('d', value))[0]:016x}"


def constant(kind: ir.Type, number: Number) -> ir.Constant:
    """`number` as a constant of type `kind`, splat over a vector's lanes. Floats round to the element
    type.
    """
    element = element_of(kind)
    if isinstance(element, ir.IntType):
        text = _constant_text(str(element), str(_wrapped(int(number), element.width)))
    else:
        text = _constant_text(str(element), repr(float(number)))
    return _spelled(kind, f"splat ({element} {text})" if kind != element else text)


def _spelled(kind: ir.Type, text: str) -> ir.Constant:
    """A constant by its text; llvmlite would spell a vector's lanes out one by one."""
    made = ir.Constant(kind, None)
    made.constant = text
    made._get_reference = lambda: text
    return made


def _wrapped(number: int, width: int) -> int:
    """`number` modulo 2**width, as the signed integer that LLVM's text form expects."""
    number &= (1 << width) - 1
    return number - (1 << width) if width > 1 and number >> (width - 1) else number


class Scalar:
    """Emits arithmetic into a builder. `fma` says whether the target has a fused multiply-add.

    Without one, exact products are split by Dekker's method and rounding to integers uses additions, because
    such targets (SSE2) may also lack a rounding instruction. `pairs`: the parts of complex registers, by
    identity.
    """

    def __init__(self, builder: ir.IRBuilder, fma: bool = True) -> None:
        self.builder = builder
        self.fma = fma
        self.pairs: dict[int, tuple[ir.Value, ir.Value]] = {}
        self.checked: Callable[..., None] | None = None

    # Constants and operands

    def const(self, like: ir.Value | ir.Type, number: Number) -> ir.Constant:
        """`number` in the type of `like`, a value or a type."""
        return constant(like.type if isinstance(like, ir.Value) else like, number)

    def _pair(self, left: Operand, right: Operand) -> tuple[ir.Value, ir.Value]:
        """Both operands as values: a Python number takes the other's type."""
        if not isinstance(left, ir.Value):
            return self.const(_value(right), left), _value(right)
        return left, right if isinstance(right, ir.Value) else self.const(left, right)

    # Arithmetic: floats and integers choose the instruction

    def add(self, left: Operand, right: Operand) -> ir.Value:
        """left + right; integers wrap."""
        left, right = self._pair(left, right)
        return self.builder.fadd(left, right) if is_float(left) else self.builder.add(left, right)

    def sub(self, left: Operand, right: Operand) -> ir.Value:
        """left - right; integers wrap."""
        left, right = self._pair(left, right)
        return self.builder.fsub(left, right) if is_float(left) else self.builder.sub(left, right)

    def mul(self, left: Operand, right: Operand) -> ir.Value:
        """left * right; integers wrap."""
        left, right = self._pair(left, right)
        return self.builder.fmul(left, right) if is_float(left) else self.builder.mul(left, right)

    def div(self, left: Operand, right: Operand) -> ir.Value:
        """left / right of floats."""
        left, right = self._pair(left, right)
        return self.builder.fdiv(left, right)

    def neg(self, value: ir.Value) -> ir.Value:
        """-value; of a float the sign bit flips, also of a NaN and of zero."""
        return self.builder.fneg(value) if is_float(value) else self.builder.neg(value)

    def muladd(self, left: Operand, right: Operand, addend: Operand) -> ir.Value:
        """left * right + addend, fused exactly where the target has a fused multiply-add."""
        left, right = self._pair(left, right)
        _, addend = self._pair(left, addend)
        return self.intrinsic("llvm.fmuladd", left, right, addend)

    def sqrt(self, value: ir.Value) -> ir.Value:
        """The correctly rounded square root."""
        return self.intrinsic("llvm.sqrt", value)

    def abs(self, value: ir.Value) -> ir.Value:
        """A float with its sign cleared."""
        return self.intrinsic("llvm.fabs", value)

    def copysign(self, magnitude: Operand, sign: ir.Value) -> ir.Value:
        """`magnitude` with the sign of `sign`."""
        magnitude, sign = self._pair(magnitude, sign)
        return self.intrinsic("llvm.copysign", magnitude, sign)

    def min(self, left: Operand, right: Operand) -> ir.Value:
        """left if left < right, else right: one instruction, and `right` where either is NaN."""
        left, right = self._pair(left, right)
        return self.select(self.fcmp("<", left, right), left, right)

    def max(self, left: Operand, right: Operand) -> ir.Value:
        """left if left > right, else right: one instruction, and `right` where either is NaN."""
        left, right = self._pair(left, right)
        return self.select(self.fcmp(">", left, right), left, right)

    # Comparison and choice

    def fcmp(self, relation: str, left: Operand, right: Operand) -> ir.Value:
        """Compare floats by "<", "<=", ">", ">=", "==": false on NaN; "!=": true on NaN; "ord", "uno"."""
        left, right = self._pair(left, right)
        if relation in ("!=", "uno"):
            return self.builder.fcmp_unordered(relation, left, right)
        return self.builder.fcmp_ordered(relation, left, right)

    def icmp(self, relation: str, left: Operand, right: Operand, signed: bool = True) -> ir.Value:
        """Compare integers by "<", "<=", ">", ">=", "==" or "!="."""
        left, right = self._pair(left, right)
        compare = self.builder.icmp_signed if signed else self.builder.icmp_unsigned
        return compare(relation, left, right)

    def select(self, mask: ir.Value, yes: Operand, no: Operand) -> ir.Value:
        """`yes` in the lanes where the mask holds, `no` elsewhere."""
        yes, no = self._pair(yes, no)
        return self.builder.select(mask, yes, no)

    def isnan(self, value: ir.Value) -> ir.Value:
        """The mask of NaNs."""
        return self.fcmp("uno", value, value)

    # Bits

    def and_(self, left: Operand, right: Operand) -> ir.Value:
        """Bitwise and, of integers or masks."""
        return self.builder.and_(*self._pair(left, right))

    def or_(self, left: Operand, right: Operand) -> ir.Value:
        """Bitwise or, of integers or masks."""
        return self.builder.or_(*self._pair(left, right))

    def xor(self, left: Operand, right: Operand) -> ir.Value:
        """Bitwise exclusive or, of integers or masks."""
        return self.builder.xor(*self._pair(left, right))

    def not_(self, value: ir.Value) -> ir.Value:
        """Bitwise complement."""
        return self.xor(value, -1)

    def shl(self, value: ir.Value, count: Operand) -> ir.Value:
        """Shift left."""
        return self.builder.shl(*self._pair(value, count))

    def lshr(self, value: ir.Value, count: Operand) -> ir.Value:
        """Shift right, filling with zeros."""
        return self.builder.lshr(*self._pair(value, count))

    def ashr(self, value: ir.Value, count: Operand) -> ir.Value:
        """Shift right, filling with the sign."""
        return self.builder.ashr(*self._pair(value, count))

    # Conversion: `element` is the type of one lane

    def bitcast(self, value: ir.Value, element: ir.Type) -> ir.Value:
        """The same bits as another element type of the same size."""
        return self.builder.bitcast(value, with_element(value.type, element))

    def bits(self, value: ir.Value) -> ir.Value:
        """The words of a float."""
        return self.bitcast(value, format_of(value).word)

    def from_bits(self, word: ir.Value) -> ir.Value:
        """The float, of the word's size, that the word spells."""
        return self.bitcast(word, FLOAT if element_of(word.type) == INT32 else DOUBLE)

    def to_int(self, value: ir.Value, element: ir.IntType) -> ir.Value:
        """Truncate a float to a signed integer; undefined outside its range."""
        return self.builder.fptosi(value, with_element(value.type, element))

    def to_float(self, value: ir.Value, element: ir.Type) -> ir.Value:
        """The nearest float to a signed integer."""
        return self.builder.sitofp(value, with_element(value.type, element))

    def fptrunc(self, value: ir.Value, element: ir.Type = FLOAT) -> ir.Value:
        """Round to the narrower float."""
        return self.builder.fptrunc(value, with_element(value.type, element))

    def fpext(self, value: ir.Value, element: ir.Type = DOUBLE) -> ir.Value:
        """The same value as a wider float; the value itself if it has the width already."""
        if element_of(value.type) == element:
            return value
        return self.builder.fpext(value, with_element(value.type, element))

    def int_cast(self, value: ir.Value, element: ir.IntType) -> ir.Value:
        """Sign-extend or truncate an integer; the value itself if it has the width already."""
        width, kind = element_of(value.type).width, with_element(value.type, element)
        if width == element.width:
            return value
        return self.builder.sext(value, kind) if width < element.width else self.builder.trunc(value, kind)

    # Rounding to integers

    def floor(self, value: ir.Value) -> ir.Value:
        """The largest integer not above the value; -0.0 stays."""
        if self.fma:
            return self.intrinsic("llvm.floor", value)
        return self._round_by_addition(value, lambda near, size: self._step(near, ">", value, -1.0))

    def ceil(self, value: ir.Value) -> ir.Value:
        """The smallest integer not below the value; (-1, -0.0] gives -0.0."""
        if self.fma:
            return self.intrinsic("llvm.ceil", value)
        return self._round_by_addition(value, lambda near, size: self._step(near, "<", value, 1.0))

    def trunc(self, value: ir.Value) -> ir.Value:
        """The integer part, with the value's sign."""
        if self.fma:
            return self.intrinsic("llvm.trunc", value)
        return self._round_by_addition(value, self._toward_zero)

    def rint(self, value: ir.Value) -> ir.Value:
        """The nearest integer, ties to even, with the value's sign."""
        if self.fma:
            return self.intrinsic("llvm.rint", value)
        return self._round_by_addition(value, lambda near, size: near)

    def _round_by_addition(
        self, value: ir.Value, adjust: Callable[[ir.Value, ir.Value], ir.Value]
    ) -> ir.Value:
        """Round |value| by adding 2**mantissa, restore the sign, then `adjust(nearest, |value|)`."""
        limit = 2.0 ** format_of(value).mantissa
        size = self.abs(value)
        near = self.copysign(self.sub(self.add(size, limit), limit), value)
        rounded = self.copysign(adjust(near, size), value)
        return self.select(self.fcmp("<", size, limit), rounded, value)

    def _step(self, near: ir.Value, relation: str, value: ir.Value, step: float) -> ir.Value:
        """near + step where `near relation value`."""
        return self.select(self.fcmp(relation, near, value), self.add(near, step), near)

    def _toward_zero(self, near: ir.Value, size: ir.Value) -> ir.Value:
        near = self.abs(near)
        return self._step(near, ">", size, -1.0)

    # Error-free transformations: the pair (high, low) sums exactly to the true result

    def two_sum(self, left: Operand, right: Operand) -> tuple[ir.Value, ir.Value]:
        """left + right exactly (Knuth), barring overflow."""
        left, right = self._pair(left, right)
        high = self.add(left, right)
        part = self.sub(high, left)
        low = self.add(self.sub(left, self.sub(high, part)), self.sub(right, part))
        return high, low

    def fast_two_sum(self, larger: Operand, smaller: Operand) -> tuple[ir.Value, ir.Value]:
        """larger + smaller exactly (Dekker), given |larger| >= |smaller| or larger == 0."""
        larger, smaller = self._pair(larger, smaller)
        high = self.add(larger, smaller)
        return high, self.sub(smaller, self.sub(high, larger))

    def two_prod(self, left: Operand, right: Operand) -> tuple[ir.Value, ir.Value]:
        """left * right exactly, barring overflow and underflow: by one FMA, or by Dekker's split."""
        left, right = self._pair(left, right)
        high = self.mul(left, right)
        if self.fma:
            return high, self.muladd(left, right, self.neg(high))
        (a, b), (c, d) = self.split(left), self.split(right)
        low = self.sub(self.mul(a, c), high)
        low = self.add(self.add(low, self.mul(a, d)), self.mul(b, c))
        return high, self.add(low, self.mul(b, d))

    def split(self, value: ir.Value) -> tuple[ir.Value, ir.Value]:
        """Two halves of at most half the significand each that sum to the value (Veltkamp)."""
        scaled = self.mul(value, format_of(value).splitter)
        high = self.sub(scaled, self.sub(scaled, value))
        return high, self.sub(value, high)

    def exact_muladd(self, left: ir.Value, right: Operand, addend: Operand) -> ir.Value:
        """left * right + addend with one rounding on every target, given that the result is nearly exact.

        Meant for remainders (`q * d - n`), where the high part of the product cancels against the addend.
        """
        if self.fma:
            return self.muladd(left, right, addend)
        high, low = self.two_prod(left, right)
        return self.add(self.add(high, addend), low)

    # Polynomials, coefficients from the constant term up

    def poly(self, x: ir.Value, coefficients: Sequence[Operand]) -> ir.Value:
        """The polynomial at x by Estrin's scheme: a few more operations than Horner's, a third of the
        latency.
        """
        terms: list[Operand] = list(coefficients)
        power = x
        while len(terms) > 1:
            pairs = [
                self.muladd(terms[i + 1], power, terms[i]) if isinstance(terms[i + 1], ir.Value)
                else self.muladd(power, terms[i + 1], terms[i])
                for i in range(0, len(terms) - 1, 2)
            ]  # fmt: skip
            terms = [*pairs, *terms[len(pairs) * 2 :]]
            power = self.mul(power, power) if len(terms) > 1 else power
        return self._pair(x, terms[0])[1]

    def horner(self, x: ir.Value, coefficients: Sequence[Operand]) -> ir.Value:
        """The polynomial at x by Horner's scheme: fewest operations, longest latency."""
        result = self._pair(x, coefficients[-1])[1]
        for coefficient in reversed(coefficients[:-1]):
            result = self.muladd(result, x, coefficient)
        return result

    # Tables

    def lookup(self, index: ir.Value, table: Sequence[Number], element: ir.Type) -> ir.Value:
        """table[index] per lane, for a table of 4, 8, 16... numbers and an index below its length.

        Wide vectors index a constant vector, which AVX-512 does by one permute (AVX2 too for floats);
        others load from a constant array.
        """
        lanes = lanes_of(index.type)
        if not self.fma or lanes < 8:
            return self.load_table(index, table, element)
        if lanes == 8 or (element == FLOAT and lanes == 16):
            return self._permute(index, table, element)
        halves = [self.lookup(half, table, element) for half in self.halves(index)]
        return self.join(*halves)

    def halves(self, value: ir.Value) -> tuple[ir.Value, ir.Value]:
        """The lower and the upper half of a vector's lanes."""
        half = value.type.count // 2
        return self._pick(value, value, range(half)), self._pick(value, value, range(half, 2 * half))

    def join(self, lower: ir.Value, upper: ir.Value) -> ir.Value:
        """One vector of the lanes of both, which have one type."""
        return self._pick(lower, upper, range(2 * lower.type.count))

    def _pick(self, left: ir.Value, right: ir.Value, lanes: range) -> ir.Value:
        mask = ir.Constant(ir.VectorType(INT32, len(lanes)), list(lanes))
        return self.builder.shuffle_vector(left, right, mask)

    def _permute(self, index: ir.Value, table: Sequence[Number], element: ir.Type) -> ir.Value:
        """Look up by permutes of vectors as long as the index, chosen by the index's upper bits."""
        lanes, b = lanes_of(index.type), self.builder
        padded = [*table, *[0.0] * (-len(table) % lanes)]
        inner = self.and_(index, lanes - 1) if len(padded) > lanes else index
        picks = [b.extract_element(inner, INT32(lane)) for lane in range(lanes)]
        found: ir.Value | None = None
        for start in range(0, len(padded), lanes):
            part = self._permute_part(picks, padded[start : start + lanes], element)
            above = self.icmp(">=", index, start, signed=False) if start else None
            found = self.select(above, part, found) if start else part
        return _value(found)

    def _permute_part(self, picks: Sequence[ir.Value], table: Sequence[Number], element: ir.Type) -> ir.Value:
        kind = ir.VectorType(element, len(picks))
        source = _vector_constant(kind, table)
        found: ir.Value = ir.Constant(kind, ir.Undefined)
        for lane, pick in enumerate(picks):
            entry = self.builder.extract_element(source, pick)
            found = self.builder.insert_element(found, entry, INT32(lane))
        return found

    def load_table(self, index: ir.Value, table: Sequence[Number], element: ir.Type) -> ir.Value:
        """table[index] per lane, by one load a lane from a constant array of the module."""
        array = self._constant_array(table, element)
        if not isinstance(index.type, ir.VectorType):
            return self._load_entry(array, index, element)
        found: ir.Value = ir.Constant(ir.VectorType(element, index.type.count), ir.Undefined)
        for lane in range(index.type.count):
            pick = self.builder.extract_element(index, INT32(lane))
            found = self.builder.insert_element(found, self._load_entry(array, pick, element), INT32(lane))
        return found

    def _load_entry(self, array: ir.GlobalVariable, index: ir.Value, element: ir.Type) -> ir.Value:
        zero = ir.Constant(index.type, 0)
        address = self.builder.gep(array, [zero, index], inbounds=True, source_etype=array.value_type)
        return self.builder.load(address, typ=element)

    def _constant_array(self, table: Sequence[Number], element: ir.Type) -> ir.GlobalVariable:
        """The module's constant array of these numbers, made at first use."""
        module = self.builder.module
        digest = hashlib.blake2b(repr(tuple(table)).encode(), digest_size=8).hexdigest()
        name = f"table.{element}.{digest}"
        if name in module.globals:
            return module.globals[name]
        kind = ir.ArrayType(element, len(table))
        array = ir.GlobalVariable(module, kind, name)
        array.linkage, array.global_constant, array.unnamed_addr = "internal", True, True
        entries = ", ".join(f"{element} {constant(element, number).get_reference()}" for number in table)
        array.initializer = _spelled(kind, f"[{entries}]")
        return array

    # Control flow

    def any(self, mask: ir.Value) -> ir.Value:
        """One bit: whether the mask holds in any lane."""
        if not isinstance(mask.type, ir.VectorType):
            return mask
        name = f"llvm.vector.reduce.or.v{mask.type.count}i1"
        return self.builder.call(self._declare(name, BOOL, [mask.type]), [mask])

    def if_any(
        self, mask: ir.Value, then: Callable[[], Sequence[ir.Value]], values: Sequence[ir.Value]
    ) -> tuple[ir.Value, ...]:
        """`values`, replaced by those of `then()` in the lanes of the mask.

            if any(mask): values = select(mask, then(), values)

        `then` is emitted into a block of its own, which runs only when some lane needs it.
        """
        b = self.builder
        before, slow, after = b.block, b.append_basic_block("rare"), b.append_basic_block("join")
        b.cbranch(self.any(mask), slow, after).set_weights(RARE)
        b.position_at_end(slow)
        chosen = [
            self.select(mask, new, old) for new, old in zip(then(), values, strict=True)
        ]  # fmt: skip
        slow = b.block
        b.branch(after)
        b.position_at_end(after)
        return tuple(self._phi((old, before), (new, slow)) for old, new in zip(values, chosen, strict=True))

    def while_any(
        self,
        condition: Callable[..., ir.Value],
        body: Callable[..., Sequence[ir.Value]],
        values: Sequence[ir.Value],
    ) -> tuple[ir.Value, ...]:
        """Repeat the body on the lanes whose condition holds, until none does.

        while any(mask := condition(*values)): values = select(mask, body(*values), values)
        """
        b = self.builder
        before, head = b.block, b.append_basic_block("while")
        inside, after = b.append_basic_block("repeat"), b.append_basic_block("done")
        b.branch(head)
        b.position_at_end(head)
        state = [self._phi((value, before)) for value in values]
        mask = condition(*state)
        b.cbranch(self.any(mask), inside, after)
        b.position_at_end(inside)
        for phi, new in zip(state, body(*state), strict=True):
            phi.add_incoming(self.select(mask, new, phi), b.block)
        b.branch(head)
        b.position_at_end(after)
        return tuple(state)

    def _phi(self, *incoming: tuple[ir.Value, ir.Block]) -> ir.PhiInstr:
        phi = self.builder.phi(incoming[0][0].type)
        for value, block in incoming:
            phi.add_incoming(value, block)
        return phi

    # Intrinsics

    def intrinsic(self, name: str, *args: ir.Value) -> ir.Value:
        """Call an intrinsic whose arguments and result all have the type of the first argument."""
        kind = args[0].type
        full = f"{name}.{_mangled(kind)}"
        return self.builder.call(self._declare(full, kind, [kind] * len(args)), args)

    def _declare(self, name: str, result: ir.Type, parameters: list[ir.Type]) -> ir.Function:
        module = self.builder.module
        if name in module.globals:
            return module.globals[name]
        return ir.Function(module, ir.FunctionType(result, parameters), name)


def is_float(value: ir.Value) -> bool:
    """Whether the elements are floating-point numbers."""
    return not isinstance(element_of(value.type), ir.IntType)


def _value(operand: Operand | None) -> ir.Value:
    if not isinstance(operand, ir.Value):
        raise TypeError(f"expected an IR value beside the number, got {operand!r}")
    return operand


def _vector_constant(kind: ir.VectorType, numbers: Sequence[Number]) -> ir.Constant:
    element = kind.element
    entries = ", ".join(f"{element} {constant(element, n).get_reference()}" for n in numbers)
    return _spelled(kind, f"<{entries}>")


_MANGLED = {"float": "f32", "double": "f64"}


def _mangled(kind: ir.Type) -> str:
    """The suffix of an overloaded intrinsic's name: f64, v8f64, i32."""
    name = str(element_of(kind))
    suffix = _MANGLED.get(name, name)
    return f"v{kind.count}{suffix}" if isinstance(kind, ir.VectorType) else suffix
