"""The streams of random numbers that a function draws from.

A recording that fails runs the function again, and so does a replay that a guard stops, so what was drawn is
put back first: the numbers are those of the plain function. A generator from outside that was drawn from
gives others at the next call, so no plan is kept; draws by `numpy.random`'s own functions are steps of it.
"""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np


class Streams:
    """The generators in reach of a function, and their states before it ran; `are_steps`: its plan draws."""

    __slots__ = ("_generators", "_modules", "are_steps")

    def __init__(self) -> None:
        self.are_steps = False
        self._modules: list[tuple[Callable[[Any], None], Any]] = [(random.setstate, random.getstate())]
        if "numpy.random" in sys.modules:
            self._modules.append((np.random.set_state, np.random.get_state(legacy=False)))
        self._generators: list[tuple[Any, bytes]] = []

    def note(self, value: Any) -> bool:
        """Remember the state of a generator; False for anything else."""
        if not is_generator(value):
            return False
        self._generators.append((value, _state(value)))
        return True

    def drawn(self) -> bool:
        """Whether a generator gave numbers since."""
        return any(_state(generator) != before for generator, before in self._generators)

    def rewind(self) -> None:
        """Put every state back."""
        for put_back, state in self._modules:
            put_back(state)
        for generator, before in self._generators:
            _set_state(generator, pickle.loads(before))


def is_generator(value: Any) -> bool:
    """One of NumPy's."""
    return "numpy.random" in sys.modules and isinstance(value, np.random.Generator | np.random.RandomState)


def _state(generator: Any) -> bytes:
    if isinstance(generator, np.random.Generator):
        return pickle.dumps(generator.bit_generator.state)
    return pickle.dumps(generator.get_state(legacy=False))


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)
