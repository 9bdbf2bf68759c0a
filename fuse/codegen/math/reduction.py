"""Reduction of huge arguments modulo pi/2 (Payne and Hanek), for doubles of at least 2**26.

x = X * 2**(16 j), with X < 2**69 and, wherever j > 0, X an integer. Then x * 2/pi and X * T[j] differ by a
multiple of 4, where T[j] = 2**(16 j) * 2/pi mod 4, kept as four doubles (more than 210 bits). The exact
products are reduced modulo 4 part by part, and the parts summed from the largest; the fraction keeps more
than 53 good bits even for the double that lies nearest to a multiple of pi/2 (within 2**-61).
"""

from __future__ import annotations

import functools

from llvmlite import ir

from fuse.codegen.scalar import DOUBLE, Scalar

STEP = 16
ENTRIES = 61
PARTS = 4
HALF_PI = (1.5707963267948966, 6.123233995736766e-17)
_BITS = 1600


def _arctan_of_inverse(n: int, one: int) -> int:
    """atan(1/n) in units of 1/one."""
    power = total = one // n
    k, sign = 3, -1
    while power:
        power //= n * n
        total += sign * (power // k)
        k, sign = k + 2, -sign
    return total


@functools.cache
def _two_over_pi() -> int:
    """floor(2/pi * 2**_BITS), pi by Machin's formula with 64 guard bits."""
    one = 1 << (_BITS + 64)
    pi = 4 * (4 * _arctan_of_inverse(5, one) - _arctan_of_inverse(239, one))
    return (2 * one << _BITS) // pi


@functools.cache
def table(part: int) -> tuple[float, ...]:
    """The part-th double of T[j], for all j."""
    return tuple(_parts(j)[part] for j in range(ENTRIES))


@functools.cache
def _parts(j: int) -> tuple[float, ...]:
    """T[j] as doubles that do not overlap: each takes the next 53 bits."""
    rest = (_two_over_pi() << (STEP * j)) % (1 << (_BITS + 2))
    found = []
    for _ in range(PARTS):
        cut = max(rest.bit_length() - 53, 0)
        found.append((rest >> cut) * 2.0 ** (cut - _BITS))
        rest &= (1 << cut) - 1
    return tuple(found)


def reduce_huge(s: Scalar, x: ir.Value) -> tuple[ir.Value, ir.Value, ir.Value]:
    """(word with k in its low bits, high, low): x = k pi/2 + high + low modulo 2 pi. NaN for infinities."""
    whole, high, low = _fraction(s, _products(s, s.abs(x)))
    sign = s.copysign(s.const(x, 1.0), x)
    high, low = s.mul(high, sign), s.mul(low, sign)
    angle, rest = s.two_prod(high, HALF_PI[0])
    rest = s.muladd(low, HALF_PI[0], s.muladd(high, HALF_PI[1], rest))
    angle = s.add(angle, s.sub(x, x))
    angle, rest = s.fast_two_sum(angle, rest)
    return s.bits(s.muladd(whole, sign, 1.5 * 2.0**52)), angle, rest


def _products(s: Scalar, size: ir.Value) -> list[tuple[ir.Value, ir.Value]]:
    """The exact products of X with the parts of T[j]."""
    exponent = s.lshr(s.bits(size), 52)
    j = _index(s, exponent)
    scaled = s.from_bits(s.sub(s.bits(size), s.shl(j, 52 + 4)))
    parts = [s.load_table(j, table(part), DOUBLE) for part in range(PARTS)]
    return [s.two_prod(scaled, part) for part in parts]


def _index(s: Scalar, exponent: ir.Value) -> ir.Value:
    """j: 0 below 2**52, then one more every 16 exponents; the last for infinities."""
    j = s.lshr(s.sub(exponent, 1075), 4)
    j = s.select(s.icmp("<", exponent, 1075), s.const(exponent, 0), j)
    return s.select(s.icmp("<", j, ENTRIES), j, s.const(exponent, ENTRIES - 1))


def _fraction(s: Scalar, products: list[tuple[ir.Value, ir.Value]]) -> tuple[ir.Value, ir.Value, ir.Value]:
    """The sum of the products modulo 4 as (nearest integer, high, low)."""
    (a, a_low), (b, b_low), (c, c_low), (d, _) = products
    total, first = s.two_sum(_modulo_4(s, a), _modulo_4(s, a_low))
    total, second = s.two_sum(total, _modulo_4(s, b))
    whole = s.rint(total)
    high, low = s.sub(total, whole), s.const(total, 0.0)
    for part in (first, second, b_low, c, c_low, d):
        high, lost = s.two_sum(high, part)
        low = s.add(low, lost)
    return whole, *s.fast_two_sum(high, low)


def _modulo_4(s: Scalar, value: ir.Value) -> ir.Value:
    """value minus the nearest multiple of 4, exactly."""
    return s.sub(value, s.mul(s.rint(s.mul(value, 0.25)), 4.0))
