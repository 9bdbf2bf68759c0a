"""Operations with exact results: rounding, remainders, signs and neighbours; all as NumPy defines them, bit
for bit.

fmod subtracts multiples: b is scaled by a power of two so that the quotient is below 2**53, the remainder of
that division is exact, and the step repeats (at most 42 times) while some lane has a remainder of at least b.
remainder and floor_divide follow NumPy's `npy_divmod` step by step. Single-precision fmod runs in double
precision, where it is exact too.
"""

from __future__ import annotations

from llvmlite import ir

from fuse.codegen.math.dispatch import widened
from fuse.codegen.math.exponential import power_of_two
from fuse.codegen.scalar import INT64, Scalar, format_of

QUOTIENT_BITS = 52


def floor(s: Scalar, x: ir.Value) -> ir.Value:
    """The largest integer not above x."""
    return s.floor(x)


def ceil(s: Scalar, x: ir.Value) -> ir.Value:
    """The smallest integer not below x."""
    return s.ceil(x)


def rint(s: Scalar, x: ir.Value) -> ir.Value:
    """The nearest integer, ties to even."""
    return s.rint(x)


def trunc(s: Scalar, x: ir.Value) -> ir.Value:
    """The integer part."""
    return s.trunc(x)


def copysign(s: Scalar, x: ir.Value, y: ir.Value) -> ir.Value:
    """|x| with the sign of y."""
    return s.copysign(x, y)


def sign(s: Scalar, x: ir.Value) -> ir.Value:
    """-1, 0 or 1; NaN for NaN; zeros lose their sign."""
    positive = s.select(s.fcmp(">", x, 0.0), s.const(x, 1.0), s.add(x, 0.0))
    return s.select(s.fcmp("<", x, 0.0), -1.0, positive)


def heaviside(s: Scalar, x: ir.Value, middle: ir.Value) -> ir.Value:
    """0 below zero, `middle` at zero, 1 above; NaN for NaN."""
    outside = s.select(s.fcmp("<", x, 0.0), s.const(x, 0.0), s.select(s.fcmp(">", x, 0.0), 1.0, x))
    return s.select(s.fcmp("==", x, 0.0), middle, outside)


def spacing(s: Scalar, x: ir.Value) -> ir.Value:
    """The distance to the next number away from zero, with x's sign; NaN for infinities."""
    size = s.abs(x)
    distance = s.sub(s.from_bits(s.add(s.bits(size), 1)), size)
    return s.select(s.fcmp("<", x, 0.0), s.neg(distance), distance)


def nextafter(s: Scalar, x: ir.Value, goal: ir.Value) -> ir.Value:
    """The neighbour of x towards `goal`; `goal` itself where they are equal."""
    word = s.bits(x)
    outward = s.xor(s.fcmp(">", goal, x), s.icmp("<", word, 0))
    moved = s.add(word, s.select(outward, s.const(word, 1), s.const(word, -1)))
    smallest = s.copysign(s.from_bits(s.const(word, 1)), goal)
    value = s.select(s.fcmp("==", x, 0.0), smallest, s.from_bits(moved))
    value = s.select(s.fcmp("==", x, goal), goal, value)
    return s.select(s.fcmp("uno", x, goal), s.add(x, goal), value)


def ldexp(s: Scalar, x: ir.Value, exponent: ir.Value) -> ir.Value:
    """x * 2**exponent with one rounding; the exponent is an integer of any width."""
    form = format_of(x)
    top = 3 * form.bias
    n = s.int_cast(exponent, INT64)
    n = s.select(s.icmp("<", n, -top), -top, s.select(s.icmp(">", n, top), top, n))
    small = s.fcmp("<", s.abs(x), form.tiny)
    scaled = s.select(small, s.mul(x, 2.0 ** (form.mantissa + 1)), x)
    word = s.bits(scaled)
    field = s.and_(s.lshr(word, form.mantissa), 2 * form.bias + 1)
    total = s.add(s.sub(field, form.bias), s.int_cast(n, form.word))
    total = s.select(small, s.sub(total, form.mantissa + 1), total)
    significand = s.from_bits(s.or_(s.and_(word, ~form.infinity), form.bias << form.mantissa))
    value = _scaled(s, significand, total)
    plain = s.or_(s.fcmp("==", x, 0.0), s.not_(s.fcmp("<", s.abs(x), float("inf"))))
    return s.select(plain, x, value)


def _scaled(s: Scalar, value: ir.Value, exponent: ir.Value) -> ir.Value:
    """value in [1, 2) times 2**exponent, rounded once."""
    top = format_of(value).bias + 100
    exponent = s.select(s.icmp(">", exponent, top), top, exponent)
    exponent = s.select(s.icmp("<", exponent, -top), -top, exponent)
    return _times_power(s, value, exponent)


def _times_power(s: Scalar, value: ir.Value, exponent: ir.Value) -> ir.Value:
    """value * 2**exponent by two factors; |exponent| below twice the bias."""
    half = s.ashr(exponent, 1)
    return s.mul(s.mul(value, power_of_two(s, half)), power_of_two(s, s.sub(exponent, half)))


def fmod_double(s: Scalar, x: ir.Value, y: ir.Value) -> ir.Value:
    """x - trunc(x/y)*y, exactly, with the sign of x; NaN for infinite x and zero y."""
    a, b = s.abs(x), s.abs(y)
    valid = s.and_(s.fcmp("<", a, float("inf")), s.fcmp(">", b, 0.0))
    smaller = s.fcmp("<", a, b)
    divisible = s.and_(valid, s.not_(smaller))
    a0, b0 = s.select(divisible, a, s.const(x, 0.0)), s.select(divisible, b, s.const(x, 1.0))
    base = _exponent(s, b0)
    rest = s.while_any(lambda r: s.fcmp(">=", r, b0), lambda r: [_subtract(s, r, b0, base)], [a0])[0]
    rest = s.select(smaller, a, rest)
    return s.copysign(s.select(valid, rest, float("nan")), x)


def _exponent(s: Scalar, b: ir.Value) -> ir.Value:
    """The biased exponent of b > 0, continued below 1 for subnormals."""
    small = s.fcmp("<", b, 2.0**-1022)
    word = s.bits(s.select(small, s.mul(b, 2.0**54), b))
    field = s.lshr(word, 52)
    return s.select(small, s.sub(field, 54), field)


def _subtract(s: Scalar, a: ir.Value, b: ir.Value, base: ir.Value) -> ir.Value:
    """a minus a multiple of b that leaves less than a * 2**-51, or less than b."""
    n = s.sub(_exponent(s, a), s.add(base, QUOTIENT_BITS))
    n = s.select(s.icmp(">", n, 0), n, s.const(n, 0))
    divisor = _times_power(s, b, n)
    down = s.fcmp(">", a, 2.0**900)
    scale = s.select(down, s.const(a, 2.0**-200), 1.0)
    a, divisor = s.mul(a, scale), s.mul(divisor, scale)
    quotient = s.trunc(s.div(a, divisor))
    rest = s.exact_muladd(s.neg(quotient), divisor, a)
    rest = s.select(s.fcmp("<", rest, 0.0), s.add(rest, divisor), rest)
    return s.mul(rest, s.select(down, s.const(a, 2.0**200), 1.0))


fmod = widened(fmod_double)


def remainder(s: Scalar, x: ir.Value, y: ir.Value) -> ir.Value:
    """Python's x % y: the sign of y."""
    rest = fmod(s, x, y)
    moved = s.select(_opposite(s, rest, y), s.add(rest, y), rest)
    value = s.select(s.fcmp("==", rest, 0.0), s.copysign(s.const(x, 0.0), y), moved)
    return s.select(s.fcmp("==", y, 0.0), rest, value)


def _opposite(s: Scalar, rest: ir.Value, y: ir.Value) -> ir.Value:
    """Whether a non-zero remainder and the divisor differ in sign."""
    differ = s.xor(s.fcmp("<", y, 0.0), s.fcmp("<", rest, 0.0))
    return s.and_(differ, s.fcmp("!=", rest, 0.0))


def floor_divide(s: Scalar, x: ir.Value, y: ir.Value) -> ir.Value:
    """Python's x // y, rounded as NumPy does; x / y where y is zero."""
    rest, plain = fmod(s, x, y), s.div(x, y)
    quotient = s.div(s.sub(x, rest), y)
    quotient = s.select(_opposite(s, rest, y), s.sub(quotient, 1.0), quotient)
    whole = s.floor(quotient)
    whole = s.select(s.fcmp(">", s.sub(quotient, whole), 0.5), s.add(whole, 1.0), whole)
    whole = s.select(s.fcmp("==", quotient, 0.0), s.copysign(s.const(x, 0.0), plain), whole)
    return s.select(s.fcmp("==", y, 0.0), plain, whole)
