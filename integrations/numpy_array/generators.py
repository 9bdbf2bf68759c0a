"""NumPy's random generators for lazy arrays: the same streams, drawn by NumPy.

`Generator` and `RandomState` are NumPy's classes with one difference: they give NumPy real arrays for lazy
ones, `shuffle` and `out=` write into them, and what is drawn is lazy. NumPy's own classes would take a lazy
array for a list and swap its rows one by one.

Left out: bit generators and seed sequences, which take real arrays as seeds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
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
        drawn = functools.partial(method, self.in_numpy)
        if name == "shuffle":
            return shuffled(drawn, args, kwargs)
        if isinstance(kwargs.get("out"), LazyArray):
            return run(drawn, args, kwargs, f"numpy.random.{name}", "it writes to its argument")
        if name in _STATE or current_recording() is None:
            return join(drawn(*unwrapped(args), **unwrapped(kwargs)))
        return run_quietly(drawn, args, kwargs)

    return draw


def shuffled(shuffle: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Shuffle an array or a list of the user's in place."""
    if args and isinstance(args[0], LazyArray):
        return run_on_copy(
            shuffle, args[0], args[1:], kwargs, "numpy.random.shuffle", "it writes to its argument"
        )
    recording = current_recording()
    if recording is not None:
        recording.taint("it shuffles something that is no array")
    shuffle(*args, **kwargs)
    return None


class _Drawing(type):
    """Methods of NumPy's class that take lazy arrays; NumPy's own generators count as instances.

    They call NumPy's on a generator of NumPy's over the same stream, since those call each other.
    """

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        for base in bases[0].__mro__[:-1]:
            for method, function in vars(base).items():
                if not method.startswith("_") and callable(function):
                    namespace.setdefault(method, _drawing(method, function))
        return super().__new__(mcs, name, bases, namespace)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.__mro__[1])


class Generator(np.random.Generator, metaclass=_Drawing):
    """`np.random.Generator` that takes lazy arrays."""

    def __init__(self, bit_generator: Any) -> None:
        super().__init__(bit_generator)
        self.in_numpy = np.random.Generator(bit_generator)


class RandomState(np.random.RandomState, metaclass=_Drawing):
    """`np.random.RandomState` that takes lazy arrays."""

    def __init__(self, seed: Any = None) -> None:
        self.in_numpy = np.random.RandomState(unwrapped(seed))
        super().__init__(self.in_numpy._bit_generator)

    def __reduce__(self) -> Any:
        return self.in_numpy.__reduce__()


def default_rng(seed: Any = None) -> np.random.Generator:
    """`np.random.default_rng(seed)`; a generator that is given is given back."""
    recording = current_recording()
    if recording is not None:
        recording.taint("numpy.random.default_rng keeps state outside of the function's values")
    made = np.random.default_rng(unwrapped(seed))
    return made if made is seed else Generator(made.bit_generator)


NAMES: dict[str, Any] = {"Generator": Generator, "RandomState": RandomState, "default_rng": default_rng}
