"""The names of NumPy with real arrays taken in: what `fuse.numpy` looks up.

A function of NumPy called through here wraps the real arrays among its arguments, so that what follows is
recorded; its results are lazy arrays. Classes, constants and dtypes are NumPy's own.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.numpy_array import generators
from fuse.integrations.numpy_array.array import ndarray
from fuse.integrations.numpy_array.base import LazyArray, from_array, join
from fuse.integrations.numpy_array.creation import CREATION
from fuse.integrations.numpy_array.fallback import run_quietly
from fuse.integrations.numpy_array.functions import dispatch
from fuse.integrations.numpy_array.operands import is_foreign
from fuse.integrations.numpy_array.ufuncs import PLAIN_NUMBERS, apply

_MODULES = ("linalg", "fft", "random")


class Ufunc:
    """A ufunc that records on real arrays too; its other attributes are the ufunc's."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self.ufunc, self.nin = ufunc, ufunc.nin
        self.__name__, self.__doc__ = ufunc.__name__, ufunc.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == self.nin and not kwargs:
            kinds = set(map(type, args))
            if LazyArray.array_class in kinds and kinds - PLAIN_NUMBERS == {LazyArray.array_class}:
                return apply(self.ufunc, args)
        outputs = args[self.ufunc.nin :]
        if outputs:
            if len(args) > self.ufunc.nargs or "out" in kwargs or any(o is Ellipsis for o in outputs):
                return self.ufunc(*args, **kwargs)
            missing = (None,) * (self.ufunc.nargs - len(args))
            args, kwargs = args[: self.ufunc.nin], {**kwargs, "out": (*outputs, *missing)}
        inputs = tuple(map(entering, args))
        if (
            len(inputs) < self.ufunc.nin
            or any(map(is_foreign, (*inputs, *_as_tuple(kwargs.get("out")))))
            or not _has_arrays((*inputs, *kwargs.values()))
        ):
            return join(self.ufunc(*args, **kwargs))
        return apply(self.ufunc, inputs, **kwargs)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.ufunc, name)
        return _method(found) if name in ("reduce", "accumulate", "reduceat", "outer", "at") else found

    # so that `isinstance(fuse.numpy.add, numpy.ufunc)` holds
    __class__ = property(lambda self: np.ufunc)

    def __eq__(self, other: object) -> bool:
        return self.ufunc is (other.ufunc if type(other) is Ufunc else other)

    def __hash__(self) -> int:
        return hash(self.ufunc)

    def __repr__(self) -> str:
        return repr(self.ufunc)

    def __reduce__(self) -> str | tuple[Any, ...]:
        return recording_ufunc, (self.ufunc,)


def _as_tuple(out: Any) -> tuple[Any, ...]:
    return out if isinstance(out, tuple) else (() if out is None else (out,))


@functools.cache
def recording_ufunc(ufunc: np.ufunc) -> Ufunc:
    """The one object that stands for a ufunc."""
    return Ufunc(ufunc)


def _method(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a ufunc; NumPy's dispatch leads to the recording when an operand is lazy."""

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        return join(method(*map(entering, args), **kwargs))

    return call


def entering(value: Any) -> Any:
    """Real arrays wrapped, also inside lists; they share their memory with the user."""
    if type(value) is np.ndarray:
        return from_array(value, pinned=True)
    if type(value) in (list, tuple) and any(type(item) is np.ndarray for item in value):
        return type(value)(map(entering, value))
    return value


def _has_arrays(values: Iterable[Any]) -> bool:
    return any(
        isinstance(value, LazyArray)
        or hasattr(type(value), "__fuse_node__")
        or (type(value) in (list, tuple) and _has_arrays(value))
        for value in values
    )


def _function(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        inputs = tuple(map(entering, args))
        named = {name: entering(value) if name != "out" else value for name, value in kwargs.items()}
        if _has_arrays((*inputs, *named.values())):
            return dispatch(function, inputs, named)
        return join(function(*args, **kwargs))

    return call


def _random(function: Callable[..., Any]) -> Callable[..., Any]:
    """Random numbers: drawn anew by every replay of a recording."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        inputs = tuple(map(entering, args))
        recording = current_recording()
        if recording is not None and function.__name__ in ("seed", "get_state", "set_state"):
            recording.taint(f"numpy.random.{function.__name__} keeps state outside of the function's values")
            return function(*args, **kwargs)
        if recording is not None:
            recording.draws = True
        if function is np.random.shuffle:
            return generators.shuffled(function, inputs if _is_array(inputs) else args, kwargs)
        drawn = run_quietly(function, inputs, kwargs)
        if recording is not None and not isinstance(drawn, LazyArray):
            recording.taint("Python looked at a random number")
        return drawn

    return call


def _is_array(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments) and isinstance(arguments[0], LazyArray)


class Namespace(types.ModuleType):
    """A submodule such as `numpy.linalg`, its functions wrapped, `own` names in place of the module's."""

    def __init__(
        self,
        module: types.ModuleType,
        wrap: Callable[..., Any],
        own: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(module.__name__, module.__doc__)
        self.__dict__.update(_module=module, _wrap=wrap, **own)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if _is_function(found):
            found = self._wrap(found)
            self.__dict__[name] = found  # the same object at each access, as in the module
        return found

    def __dir__(self) -> list[str]:
        return dir(self._module)


class _Columns:
    """`np.c_`: arrays side by side, recorded when one of them is lazy."""

    def __getitem__(self, key: Any) -> Any:
        arrays = entering(key)
        if isinstance(arrays, tuple) and all(_is_vector_or_matrix(array) for array in arrays):
            return dispatch(np.column_stack, (list(arrays),), {})
        return join(np.c_[key])


def _is_vector_or_matrix(value: Any) -> bool:
    return isinstance(value, LazyArray) and len(value._dims) in (1, 2)


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, type | types.ModuleType | np.ufunc)


def lookup(name: str) -> Any:
    """What `fuse.numpy.<name>` is. Raises AttributeError for what NumPy has not."""
    if name == "ndarray":
        return ndarray
    if name == "c_":
        return _Columns()
    if name in CREATION:
        return CREATION[name]
    if name in _MODULES:
        if name == "random":
            return Namespace(np.random, _random, generators.NAMES)
        return Namespace(getattr(np, name), _function)
    found = getattr(np, name)
    if isinstance(found, np.ufunc):
        return recording_ufunc(found)
    return _function(found) if _is_function(found) and not name.startswith("__") else found


def names() -> list[str]:
    """Every name of NumPy."""
    return dir(np)
