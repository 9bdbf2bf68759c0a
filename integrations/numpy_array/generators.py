"""NumPy's random generators for lazy arrays: the same streams, drawn by NumPy.

`Generator` and `RandomState` are NumPy's classes with one difference: they give NumPy real arrays for lazy
ones, `shuffle` and `out=` write into them, and what is drawn is lazy. NumPy's own classes would take a lazy
array for a list and swap its rows one by one.

Left out: bit generators and seed sequences, which take real arrays as seeds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.numpy_array.base import LazyArray, join
from fuse.integrations.numpy_array.fallback import run, run_on_copy, run_quietly, unwrapped

_STATE = frozenset({"seed", "get_state", "set_state", "spawn"})


def _drawing(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a generator that takes lazy arrays."""

    @functools.wraps(method)
    def draw(self: Any, *args: Any, **kwargs: Any) -> Any:
        drawn = functools.partial(method, self)
        if name == "shuffle" and args and isinstance(args[0], LazyArray):
            return run_on_copy(
                drawn, args[0], args[1:], kwargs, "numpy.random.shuffle", "it writes to its argument"
            )
        if isinstance(kwargs.get("out"), LazyArray):
            return run(drawn, args, kwargs, f"numpy.random.{name}", "it writes to its argument")
        if name in _STATE or current_recording() is None:
            return join(drawn(*unwrapped(args), **unwrapped(kwargs)))
        return run_quietly(drawn, args, kwargs)

    return draw


def _takes_lazy_arrays(cls: type) -> type:
    for base in cls.__mro__[1:-1]:
        for name, method in vars(base).items():
            if not name.startswith("_") and callable(method):
                setattr(cls, name, _drawing(name, method))
    return cls


@_takes_lazy_arrays
class Generator(np.random.Generator):
    """`np.random.Generator` that takes lazy arrays."""


@_takes_lazy_arrays
class RandomState(np.random.RandomState):
    """`np.random.RandomState` that takes lazy arrays."""

    def __init__(self, seed: Any = None) -> None:
        super().__init__(unwrapped(seed))


def default_rng(seed: Any = None) -> np.random.Generator:
    """`np.random.default_rng(seed)`; a generator that is given is given back."""
    recording = current_recording()
    if recording is not None:
        recording.taint("numpy.random.default_rng keeps state outside of the function's values")
    made = np.random.default_rng(unwrapped(seed))
    return made if made is seed else Generator(made.bit_generator)


NAMES: dict[str, Any] = {"Generator": Generator, "RandomState": RandomState, "default_rng": default_rng}
