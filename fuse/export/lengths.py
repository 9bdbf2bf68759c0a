"""Lengths that are known only when the code runs, as numbers that plans can be made with.

Every unknown length is stood in for by a prime of its own, far above any known length. Shapes, strides and
sizes are then plain products, two of them are equal exactly when they are equal in every run, and the way
from a number back to what it stands for is its factorization.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from fuse.ir.interpret import Sizes
from fuse.ir.types import Dim, SizeOf

_FIRST = 1 << 40


def _primes() -> Iterator[int]:
    number = _FIRST + 1
    while True:
        if _is_prime(number):
            yield number
        number += 2


def _is_prime(number: int) -> bool:
    """By Miller and Rabin; these bases decide every number below 2**64."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


class Lengths(Sizes):
    """The number of every dimension. `dims`: what each prime stands for."""

    def __init__(self) -> None:
        super().__init__()
        self.dims: dict[int, Dim] = {}
        self._numbers: dict[Dim, int] = {}
        self._primes = _primes()

    def __getitem__(self, dim: Dim) -> int:
        if isinstance(dim, int):
            return dim
        if isinstance(dim, SizeOf) and dim.function == "multiply":
            return math.prod(self[factor] for factor in dim.operands if factor is not None)
        if dim not in self._numbers:
            self._numbers[dim] = prime = next(self._primes)
            self.dims[prime] = dim
        return self._numbers[dim]

    def factors(self, number: int) -> tuple[int, list[int]]:
        """The known factor of a number, and the primes of the unknown ones."""
        found: list[int] = []
        if abs(number) < _FIRST:
            return number, found
        for prime in self.dims:
            while number % prime == 0:
                number //= prime
                found.append(prime)
        return number, found

    def is_known(self, number: int) -> bool:
        """Whether a number is the same in every run."""
        return not self.factors(number)[1]
