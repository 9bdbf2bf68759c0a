"""`fuse.numpy.ndarray`: NumPy's array interface over a lazy array.

Operators, ufuncs and functions record. Whatever else an array has (`sort`, `flags`, `tobytes`, …) is reached
through its evaluated elements and counted as a fallback; the array and that buffer are the same memory from
then on.
"""

from __future__ import annotations

import copy
import importlib
import operator
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from fuse.integrations.capture.doubts import watch_nodes
from fuse.integrations.capture.recording import SharedWrite, current_recording
from fuse.integrations.capture.report import fallback
from fuse.integrations.capture.watching import of_scalars
from fuse.integrations.numpy_array import indexing, layout, repetition
from fuse.integrations.numpy_array.base import (
    LazyArray,
    Unsupported,
    few,
    from_array,
    from_node,
    join,
    lengths,
    make,
    small,
)
from fuse.integrations.numpy_array.basic_index import BasicKey, Indexed, as_basic
from fuse.integrations.numpy_array.creation import CREATION
from fuse.integrations.numpy_array.fallback import run, run_on_copy, run_quietly, unwrapped
from fuse.integrations.numpy_array.flat import Flat, RecordedFlat
from fuse.integrations.numpy_array.functions import dispatch
from fuse.integrations.numpy_array.operands import is_derived, is_foreign, is_numeric, is_recorded
from fuse.integrations.numpy_array.signatures import like_numpy
from fuse.integrations.numpy_array.storage import is_static
from fuse.integrations.numpy_array.ufuncs import LARGE, PLAIN_NUMBERS, apply, apply_method, plain_value
from fuse.integrations.numpy_array.views import ComplexPart
from fuse.integrations.numpy_array.warnings_of import at_once
from fuse.ir import build


class _ArrayType(type):
    """Real arrays count as instances too, so that checks written for NumPy hold.

    A class that a program derives from `fuse.numpy.ndarray` is derived from NumPy's: what it overrides is
    called for each step, so there is nothing to record. Methods that are not ours are NumPy's.
    """

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        if LazyArray in bases:
            return super().__new__(mcs, name, bases, namespace, **options)
        found = tuple(_Derived if isinstance(base, _ArrayType) else base for base in bases)
        return types.new_class(name, found, options, lambda given: given.update(namespace))

    def __getattr__(cls, name: str) -> Any:
        return getattr(np.ndarray, name)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, np.ndarray) or type.__instancecheck__(cls, instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return type.__subclasscheck__(cls, subclass) or issubclass(subclass, np.ndarray)


class _Derived(np.ndarray):
    """What classes of a program are derived from in place of the lazy array."""

    def view(self, *args: Any, **options: Any) -> Any:
        """`a.view(fuse.numpy.ndarray)` is a view of NumPy's class."""
        return super().view(
            *map(_real_class, args), **{name: _real_class(value) for name, value in options.items()}
        )


def _yields(other: Any) -> bool:
    """Whether an operator is left to the other operand. A class derived from NumPy's array goes first."""
    if _is_usual(other):
        return is_derived(other)
    if hasattr(type(other), "__pandas_priority__"):
        return True
    own = getattr(type(other), "__array_ufunc__", 0)
    if own != 0:
        return own is None
    return bool(getattr(other, "__array_priority__", 0.0) > ndarray.__array_priority__)


def _is_usual(value: Any) -> bool:
    """A number or an array; what else there is may override ufuncs, which NumPy's dispatch finds out."""
    return type(value) in _USUAL or isinstance(value, np.ndarray | np.generic | LazyArray)


_PYTHON: Mapping[np.ufunc, Callable[[Any, Any], Any]] = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.divide: operator.truediv,
    np.floor_divide: operator.floordiv, np.remainder: operator.mod, np.divmod: divmod,
    np.power: operator.pow, np.matmul: operator.matmul, np.bitwise_and: operator.and_,
    np.bitwise_or: operator.or_, np.bitwise_xor: operator.xor, np.left_shift: operator.lshift,
    np.right_shift: operator.rshift,
}  # fmt: skip


def _operator(ufunc: np.ufunc, *, reflected: bool = False) -> Callable[[ndarray, Any], Any]:
    def forward(self: ndarray, other: Any) -> Any:
        if type(other) in _USUAL and not self._scalar:
            return apply(ufunc, (self, other))
        if _yields(other):
            return NotImplemented
        if self._scalar:
            return _of_scalar(ufunc, self, other, False)
        return apply(ufunc, (self, other)) if _is_usual(other) else ufunc(self, other)

    def backward(self: ndarray, other: Any) -> Any:
        if type(other) in _USUAL and not self._scalar:
            return apply(ufunc, (other, self))
        if is_derived(other):
            return run(
                _PYTHON[ufunc], (other, self), {}, f"numpy.{ufunc.__name__}", f"a {type(other).__name__}"
            )
        if _yields(other):
            return NotImplemented
        if self._scalar:
            return _of_scalar(ufunc, self, other, True)
        return apply(ufunc, (other, self)) if _is_usual(other) else ufunc(other, self)

    return backward if reflected else forward


def _of_scalar(ufunc: np.ufunc, scalar: ndarray, other: Any, is_reflected: bool) -> Any:
    """An operator on one of NumPy's scalars; with another one or a number NumPy has a name of its own."""
    operands = (other, scalar) if is_reflected else (scalar, other)
    is_scalar = (
        type(other) in PLAIN_NUMBERS or isinstance(other, np.generic) or getattr(other, "_scalar", False)
    )
    if is_scalar and scalar._dtype.kind != "b":  # those of bools are functions of arrays
        with of_scalars():
            return apply(ufunc, operands)
    return apply(ufunc, operands) if _is_usual(other) else ufunc(*operands)


def _equality(ufunc: np.ufunc, function: Callable[[Any, Any], Any]) -> Callable[[ndarray, Any], Any]:
    """`==` and `!=`, which unlike the ufunc compare anything: what has no loop is not equal."""
    compare = _operator(ufunc)

    def operator(self: ndarray, other: Any) -> Any:
        try:
            return compare(self, other)
        except TypeError:
            return run(function, (self, other), {}, f"numpy.{ufunc.__name__}", "operands without a loop")

    return operator


def _in_place(ufunc: np.ufunc) -> Callable[[ndarray, Any], Any]:
    def operator(self: ndarray, other: Any) -> Any:
        if is_foreign(other):
            return NotImplemented
        if self._scalar:
            return apply(ufunc, (self, other))
        return apply(ufunc, (self, other), out=(self,))

    return operator


def _unary(ufunc: np.ufunc) -> Callable[[ndarray], Any]:
    return lambda self: apply(ufunc, (self,))


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method that is the NumPy function of its name with the array first."""

    def method(self: ndarray, *args: Any, **kwargs: Any) -> Any:
        return dispatch(function, (self, *args), kwargs)

    method.__name__, method.__doc__ = function.__name__, function.__doc__
    return method


def _truth(function: Callable[..., Any]) -> Callable[..., Any]:
    """`any` and `all`, which as methods take a dtype."""
    in_numpy = getattr(np.ndarray, function.__name__)

    def method(self: ndarray, axis: Any = None, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if dtype is None:
            return dispatch(function, (self, axis, *args), kwargs)
        return run(
            in_numpy, (self, axis, dtype, *args), kwargs, f"numpy.{function.__name__}", f"dtype={dtype}"
        )

    return method


def _methods(*functions: Callable[..., Any]) -> list[Callable[..., Any]]:
    return list(map(_method, functions))


_ANY = np.empty(0)
"""Knows what NumPy answers where the elements do not matter."""


def _is_shape_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether `np.ndarray` is asked for new memory of a shape and a dtype."""
    return len(args) <= 2 and kwargs.keys() <= {"shape", "dtype"}


_POWERS = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal}


@like_numpy
class ndarray(LazyArray, metaclass=_ArrayType):  # noqa: N801  # NumPy's name
    """An array whose elements are computed when they are looked at."""

    __slots__ = ()
    __array_priority__ = 0.0

    def __new__(cls, *args: Any, **kwargs: Any) -> ndarray:
        """`np.ndarray(shape, dtype, …)`."""
        if np.ndarray in cls.__mro__:
            derived: ndarray = np.ndarray.__new__(cls, *args, **kwargs)  # type: ignore[type-var]
            return derived
        if current_recording() is not None and _is_shape_of(args, kwargs):
            return CREATION["empty"](*args, **kwargs)  # type: ignore[no-any-return]  # ours, inside a recording
        made: ndarray = from_array(np.ndarray(*args, **kwargs), pinned=True)  # type: ignore[assignment]
        return made

    @property
    def dtype(self) -> np.dtype:
        return self._dtype

    @dtype.setter
    def dtype(self, dtype: Any) -> None:
        raise AttributeError("set the dtype of a lazy array with `.view(dtype)` or `.astype(dtype)`")

    @property
    def shape(self) -> tuple[int, ...]:
        return lengths(self)

    @shape.setter
    def shape(self, shape: Any) -> None:
        if self._storage.origin is not None and not self._views:
            raise SharedWrite("the shape of an argument is set")
        if current_recording() is None and not is_static(self._dims):
            self._storage.materialise()
        try:
            view = layout.reshape(self, shape)
        except Unsupported:
            view = from_node(self._node)
        if view._storage is not self._storage and current_recording() is not None:
            raise SharedWrite("the shape of an array is set")
        if view._storage is not self._storage:
            raise AttributeError(
                "Incompatible shape for in-place modification. Use `.reshape()` to make a copy "
                "with the desired shape."
            )
        self._views = view._views

    @property
    def ndim(self) -> int:
        return len(self._dims)

    @property
    def size(self) -> int:
        return int(np.prod(lengths(self), dtype=np.intp))

    @property
    def itemsize(self) -> int:
        return self._dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def T(self) -> LazyArray:  # noqa: N802  # NumPy's name
        return layout.transpose(self)

    @property
    def mT(self) -> LazyArray:  # noqa: N802  # NumPy's name
        if self.ndim < 2:
            raise ValueError("matrix transpose with ndim < 2 is undefined")
        rank = self.ndim
        return layout.transpose(self, (*range(rank - 2), rank - 1, rank - 2))

    def _part(self, name: str) -> LazyArray:
        """One part of complex numbers: a view, of a scalar a scalar."""
        if self._scalar:
            return from_node(build.elementwise(name, self._node), scalar=True)
        return self._view(ComplexPart(name))

    @property
    def real(self) -> Any:
        return self._part("real") if self._dtype.kind == "c" else self

    @real.setter
    def real(self, value: Any) -> None:
        if self._dtype.kind == "c" and not self._scalar:
            self.real[...] = value
        else:
            self._set_attribute("real", value)

    @property
    def imag(self) -> Any:
        """Of real numbers, zeros that cannot be written to."""
        if self._dtype.kind == "c":
            return self._part("imag")
        if self._scalar or not is_numeric(self._dtype):
            return self.__getattr__("imag")
        zero = build.constant(0, self._dtype)
        if is_static(self._dims):
            return layout.broadcast_to(from_node(zero), lengths(self))
        found = from_node(build.broadcast(zero, self._dims))
        found._storage.shared = True
        return found

    @imag.setter
    def imag(self, value: Any) -> None:
        if self._dtype.kind == "c" and not self._scalar:
            self.imag[...] = value
        else:
            self._set_attribute("imag", value)

    @property
    def flat(self) -> Any:
        """NumPy's iterator over the elements."""
        if current_recording() is not None:
            return RecordedFlat(self)
        fallback("numpy.ndarray.flat", "it has no compiled form")
        return Flat(self._buffer())

    @flat.setter
    def flat(self, value: Any) -> None:
        self._set_attribute("flat", value)

    def _set_attribute(self, name: str, value: Any) -> None:
        """`self.<name> = value` for an attribute that stands for the elements."""
        run_on_copy(setattr, self, (name, value), {}, f"numpy.ndarray.{name}", "it writes to its argument")

    # what leaves the graph

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """A real array; without a copy it is the array's own memory, and in-place operations go on writing
        to it.
        """
        if copy or (dtype is not None and np.dtype(dtype) != self._dtype):
            if copy is False:
                np.empty(0, self._dtype).__array__(dtype, copy=False)
            recording = current_recording()
            if recording is not None:
                recording.taint("numpy.asarray of an array inside the function")
            return np.array(self._elements, dtype=dtype, copy=True)
        return self._buffer()

    def __dlpack__(self, **options: Any) -> Any:
        return self._buffer().__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._buffer().__dlpack_device__()

    def __buffer__(self, flags: int) -> memoryview:
        return memoryview(self._buffer())  # type: ignore[arg-type]  # an array is a buffer

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """Memory that the storage keeps alive; a recording has none, and NumPy asks for `__array__` then."""
        if current_recording() is not None:
            raise AttributeError("__array_interface__")
        return self._buffer().__array_interface__

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Any:
        """What a function of NumPy computed for this array, as ours; an element as NumPy's scalar."""
        return array[()] if return_scalar and not array.ndim else join(array)

    def __dir__(self) -> list[str]:
        """With the names that are reached through the elements."""
        return sorted({*super().__dir__(), *(name for name in dir(np.ndarray) if not name.startswith("__"))})

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """`fuse.numpy`, in which `asarray` leaves an array lazy. Raises ValueError for another version of the
        standard than NumPy's.
        """
        _ANY.__array_namespace__(api_version=api_version)  # type: ignore[arg-type]  # it says which it knows
        return importlib.import_module("fuse.numpy")

    @property
    def device(self) -> str:
        """`"cpu"`, as of all arrays of NumPy."""
        return _ANY.device

    def to_device(self, device: Any, **options: Any) -> LazyArray:
        """The array itself, which is on the only device."""
        _ANY.to_device(device, **options)
        return self

    def __bool__(self) -> bool:
        return bool(self._observe())

    def _as_number(self) -> Any:
        """What Python's numbers are made of: NumPy's scalar, or an array, which may be of one element."""
        elements: Any = self._observe()
        return elements[()] if self._scalar else elements

    def __int__(self) -> int:
        return int(self._as_number())

    def __float__(self) -> float:
        return float(self._as_number())

    def __complex__(self) -> complex:
        return complex(self._observe())

    def __round__(self, digits: int | None = None) -> Any:
        """Of a scalar as NumPy's scalars have it; arrays have none."""
        if not self._scalar:
            raise TypeError("type numpy.ndarray doesn't define __round__ method")
        value: Any = self._observe()[()]
        return round(value) if digits is None else round(value, digits)

    def __index__(self) -> int:
        return operator.index(self._as_number())

    def __len__(self) -> int:
        dims = self._dims
        if not dims:
            if self._scalar:
                raise TypeError(f"object of type 'numpy.{self._dtype.name}' has no len()")
            raise TypeError("len() of unsized object")
        return lengths(self)[0]

    def __iter__(self) -> Iterator[Any]:
        if not self._dims:
            raise TypeError("iteration over a 0-d array")
        if current_recording() is not None:
            return (layout.basic(self, (i,)) for i in range(len(self)))
        elements = self._elements
        if elements.ndim == 1:
            return iter(elements)
        return (layout.basic(self, (i,)) for i in range(elements.shape[0]))

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self == value))

    def __repr__(self) -> str:
        return repr(self._seen())

    def __str__(self) -> str:
        return str(self._seen())

    def __format__(self, specification: str) -> str:
        return format(self._seen(), specification)

    def _seen(self) -> Any:
        recording = current_recording()
        if recording is not None:
            recording.taint("an array is printed")
        return self._elements[()] if self._scalar else self._elements

    def __reduce__(self) -> tuple[Any, ...]:
        elements = self._elements
        return (_restored, (elements, False)) if not self._scalar else (_restored, (elements, True))

    def __copy__(self) -> LazyArray:
        if is_recorded(self._dtype):
            return from_node(self._node, scalar=self._scalar)
        copied: LazyArray = run_quietly(np.copy, (self,), {})
        copied._scalar = self._scalar
        return copied

    def __deepcopy__(self, memo: Any) -> LazyArray:
        if not self._dtype.hasobject:
            return self.__copy__()
        copied: LazyArray = run_quietly(copy.deepcopy, (self,), {"memo": memo})
        return copied

    def item(self, *args: Any) -> Any:
        """A Python number."""
        return self._observe().item(*args)

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self._observe().tolist()

    def tobytes(self, order: Any = "C") -> bytes:
        """The elements' bytes."""
        return self._observe().tobytes(order)

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(map(is_foreign, inputs)) or any(map(is_foreign, kwargs.get("out", ()))):
            return NotImplemented
        if method == "__call__":
            return apply(ufunc, inputs, **kwargs)
        return apply_method(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return dispatch(function, args, kwargs)

    # indexing

    def __getitem__(self, key: Any) -> Any:
        if self._storage.array is not None and current_recording() is None:
            basic = as_basic(key)
            found = self._get_now(key) if basic is None else self._get_basic(basic)
            if found is not None:
                return found
        if self._scalar and not (type(key) is tuple and not key):
            return self._of_scalar(key)
        try:
            return indexing.get(self, key)
        except Unsupported as refusal:
            return run(_get, (self, key), {}, "numpy.ndarray.__getitem__", str(refusal))

    def _of_scalar(self, key: Any) -> Any:
        """A scalar takes None and an Ellipsis, which make it an array; NumPy says what else it takes."""
        entries = key if type(key) is tuple else (key,)
        if all(entry is None or entry is Ellipsis for entry in entries):
            return layout.basic(self, entries)
        return run(_get, (self, key), {}, "numpy.generic.__getitem__", "an index of a scalar")

    def _get_basic(self, key: BasicKey) -> Any:
        """A view of concrete elements, or one of them, as NumPy makes it."""
        if self._scalar:
            return None
        elements = self._elements
        found: Any = elements[key]
        if type(found) is not np.ndarray:
            return found
        whole = key if Ellipsis in key else (*key, Ellipsis)
        return self._view(Indexed(whole, elements.shape))

    def _get_now(self, key: Any) -> Any:
        """Anything by index arrays of a few concrete elements, without the graph."""
        limit = few()
        elements: Any = small(self, limit)
        if elements is None or type(key) not in (ndarray, np.ndarray):
            return None
        chosen = plain_value(key, limit)
        return None if chosen is LARGE else join(elements[chosen])

    def __setitem__(self, key: Any, values: Any) -> None:
        if self._scalar:
            raise TypeError(f"'numpy.{self._dtype.name}' object does not support item assignment")
        target = repetition.target(self, key, values)
        if target is not None and repetition.written(target, values):
            return
        if current_recording() is None and self._set_now(key, values):
            return
        try:
            indexing.put(self, key, values)
            if target is not None:
                repetition.remember_write(target)
        except Unsupported as refusal:
            run_on_copy(_set, self, (key, values), {}, "numpy.ndarray.__setitem__", str(refusal))

    def _set_now(self, key: Any, values: Any) -> bool:
        """Whether NumPy did the assignment on concrete elements, without the graph."""
        if isinstance(values, LazyArray):
            indexing.settle_for_part(self, key, values)
        if not indexing.writes_at_once(self, key, values, few()):
            return False
        entries = key if type(key) is tuple else (key,)
        plain = tuple(entry._elements if isinstance(entry, LazyArray) else entry for entry in entries)
        self._writable()[plain] = unwrapped(values) if isinstance(values, LazyArray) else values
        return True

    def __delitem__(self, key: Any) -> None:
        raise ValueError("cannot delete array elements")

    # operators

    def __hash__(self) -> int:
        if not self._scalar:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return hash(self._observe()[()])

    def __pow__(self, other: Any, modulo: Any = None) -> Any:
        """NumPy's shortcuts: a square, a root or a reciprocal in place of a power by a Python number."""
        ufunc = self._shortcut(other) if is_numeric(self._dtype) or self._dtype.kind == "c" else None
        if ufunc is None and not is_numeric(self._dtype) and not _yields(other):
            return run(operator.pow, (self, other), {}, "numpy.power", f"a power of dtype {self._dtype}")
        return self._power(other) if ufunc is None else apply(ufunc, (self,))

    _power = _operator(np.power)

    def __ipow__(self, other: Any, modulo: Any = None) -> Any:
        """The same in place."""
        ufunc = None if self._scalar else self._shortcut(other)
        return _in_place(np.power)(self, other) if ufunc is None else apply(ufunc, (self,), out=(self,))

    def _shortcut(self, other: Any) -> np.ufunc | None:
        if type(other) not in (int, float) or self._dtype.kind not in ("fc" if other != 2 else "biufcmM"):
            return None
        return _POWERS.get(other) if self._dtype.kind in "fc" or type(other) is int else None

    def __imatmul__(self, other: Any) -> Any:
        """A product with a vector is none of the same shape: NumPy refuses it."""
        if self._dims and np.ndim(other) == 1:
            refused = np.empty(1, self._dtype)
            refused @= np.empty(1, np.result_type(other))
        return _in_place(np.matmul)(self, other)

    __add__, __radd__, __iadd__ = _operator(np.add), _operator(np.add, reflected=True), _in_place(np.add)
    __sub__, __rsub__ = _operator(np.subtract), _operator(np.subtract, reflected=True)
    __mul__, __rmul__ = _operator(np.multiply), _operator(np.multiply, reflected=True)
    __truediv__, __rtruediv__ = _operator(np.divide), _operator(np.divide, reflected=True)
    __floordiv__, __rfloordiv__ = _operator(np.floor_divide), _operator(np.floor_divide, reflected=True)
    __mod__, __rmod__ = _operator(np.remainder), _operator(np.remainder, reflected=True)
    __divmod__, __rdivmod__ = _operator(np.divmod), _operator(np.divmod, reflected=True)
    __rpow__ = _operator(np.power, reflected=True)
    __matmul__, __rmatmul__ = _operator(np.matmul), _operator(np.matmul, reflected=True)
    __and__, __rand__ = _operator(np.bitwise_and), _operator(np.bitwise_and, reflected=True)
    __or__, __ror__ = _operator(np.bitwise_or), _operator(np.bitwise_or, reflected=True)
    __xor__, __rxor__ = _operator(np.bitwise_xor), _operator(np.bitwise_xor, reflected=True)
    __lshift__, __rlshift__ = _operator(np.left_shift), _operator(np.left_shift, reflected=True)
    __rshift__, __rrshift__ = _operator(np.right_shift), _operator(np.right_shift, reflected=True)
    __isub__, __imul__, __itruediv__ = _in_place(np.subtract), _in_place(np.multiply), _in_place(np.divide)
    __ifloordiv__, __imod__ = _in_place(np.floor_divide), _in_place(np.remainder)
    __iand__, __ior__, __ixor__ = (
        _in_place(np.bitwise_and),
        _in_place(np.bitwise_or),
        _in_place(np.bitwise_xor),
    )
    __ilshift__, __irshift__ = _in_place(np.left_shift), _in_place(np.right_shift)
    __lt__, __le__ = _operator(np.less), _operator(np.less_equal)
    __gt__, __ge__ = _operator(np.greater), _operator(np.greater_equal)
    __eq__ = _equality(np.equal, operator.eq)
    __ne__ = _equality(np.not_equal, operator.ne)
    __neg__, __pos__, __abs__ = _unary(np.negative), _unary(np.positive), _unary(np.absolute)
    __invert__ = _unary(np.invert)

    # methods

    sum, prod, mean, var, std = _methods(np.sum, np.prod, np.mean, np.var, np.std)
    cumsum, cumprod = _methods(np.cumsum, np.cumprod)
    min, max, any, all = *_methods(np.min, np.max), _truth(np.any), _truth(np.all)
    argmin, argmax = _methods(np.argmin, np.argmax)
    round, dot, take = _methods(np.round, np.dot, np.take)
    swapaxes, squeeze = _methods(np.swapaxes, np.squeeze)
    repeat, diagonal, trace = _methods(np.repeat, np.diagonal, np.trace)
    searchsorted, nonzero = _methods(np.searchsorted, np.nonzero)

    def clip(self, min: Any = None, max: Any = None, out: Any = None, **options: Any) -> Any:
        """`np.clip(self, min, max, out)`."""
        return dispatch(np.clip, (self, min, max), {**options, "out": out} if out is not None else options)

    def choose(self, *choices: Any, **options: Any) -> Any:
        """`np.choose(self, choices)`; the choices as one sequence or one by one."""
        if not choices:
            np.ndarray.choose(np.empty(0, int))  # type: ignore[call-overload]  # its own error
        return dispatch(np.choose, (self, choices[0] if len(choices) == 1 else choices), options)

    def compress(self, condition: Any, axis: Any = None, out: Any = None) -> Any:
        """`np.compress(condition, self, axis, out)`."""
        return dispatch(np.compress, (condition, self), {"axis": axis, "out": out})

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
        """`np.reshape(self, shape)`; the shape as one tuple or as numbers."""
        if not shape:
            np.empty(0).reshape(order=order)  # type: ignore[call-overload]  # its own error
        wanted = shape[0] if len(shape) == 1 else shape
        try:
            if copy is not None:
                raise Unsupported("copy=")
            return layout.reshape(self, wanted, order)
        except Unsupported as refusal:
            options = {"order": order} if copy is None else {"order": order, "copy": copy}
            return run(np.reshape, (self, wanted), options, "numpy.reshape", str(refusal))

    def ravel(self, order: str = "C") -> Any:
        """One axis; a view where NumPy gives one."""
        return dispatch(np.ravel, (self,), {"order": order})

    def flatten(self, order: str = "C") -> Any:
        """One axis, a copy."""
        flat = self.ravel(order)
        return flat.copy() if flat._storage is self._storage else flat

    def transpose(self, *axes: Any) -> LazyArray:
        """Axes permuted, a view."""
        given = axes[0] if len(axes) == 1 and not isinstance(axes[0], int | np.integer) else axes
        order = given.tolist() if hasattr(given, "tolist") else given
        return layout.transpose(self, order or None)

    def copy(self, order: str = "C") -> Any:
        """A copy with its own storage."""
        if order != "C":
            copied: LazyArray = dispatch(np.copy, (self,), {"order": order})
            return copied
        found = self.__copy__()
        if len(self._dims) > 1:
            found._storage.order = tuple(range(len(self._dims)))
        return found

    def astype(
        self, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """The elements as another dtype. Raises NumPy's TypeError when `casting` forbids it."""
        target = np.dtype(dtype)
        if not np.can_cast(self._dtype, target, casting):
            np.empty(0 if self._dims else (), self._dtype).astype(target, casting=casting)
        if not copy and target == self._dtype:
            return self
        elements: Any = small(self, few())
        if elements is not None:
            return join(at_once("cast", elements.astype, target, order, casting))
        loses = self._dtype.kind == "c" and target.kind not in "cb"
        if loses or not (is_recorded(target) and is_recorded(self._dtype)):
            options = {"order": order, "casting": casting}
            return run(_astype, (self, target), options, "numpy.ndarray.astype", f"a cast to {target}")
        source = self._node
        converted = build.convert(source, target)
        if source.dtype.kind in "fc" and target != source.dtype:
            watch_nodes("cast", [converted], [source])
        return from_node(converted, scalar=self._scalar)

    def view(self, *args: Any, **kwargs: Any) -> Any:
        """Another array over the same storage; as another dtype or class it is NumPy's."""
        if self._scalar or args or kwargs:
            if current_recording() is None and not self._scalar:
                self._storage.materialise()
                self._storage.lay_out()
            return self.__getattr__("view")(*args, **kwargs)
        return make(self._storage, self._views)

    def fill(self, value: Any) -> None:
        """Every element becomes `value`."""
        if not isinstance(value, LazyArray):
            element = np.empty((), self._dtype)
            element.fill(value)
            value = element
        self[...] = value

    def conj(self, *out: Any) -> Any:
        """The complex conjugate, into `out` if it is given; of real numbers the array itself, as in NumPy."""
        if not out and self._dtype.kind in "biuf":
            return self
        if self._dtype.kind not in "biufcO":
            return run(np.ndarray.conj, (self, *out), {}, "numpy.ndarray.conj", "it is no number")
        return apply(np.conjugate, (self,), out=out) if out else apply(np.conjugate, (self,))

    conjugate = conj

    def __getattr__(self, name: str) -> Any:
        """Whatever else NumPy's arrays have, from the evaluated elements."""
        if self._scalar and not name.startswith("__") and hasattr(self._dtype.type, name):
            return getattr(self._observe()[()], name)
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"'numpy.ndarray' object has no attribute '{name}'", name=name, obj=self)
        if current_recording() is not None and callable(getattr(np.ndarray, name)):
            return _recorded_method(self, name)
        if current_recording() is not None and name in ("real", "imag"):
            part = operator.attrgetter(name)
            return run(part, (self,), {}, f"numpy.ndarray.{name}", "it has no compiled form")
        fallback(f"numpy.ndarray.{name}", "it has no compiled form")
        found = getattr(self._elements[()] if self._scalar else self._buffer(), name)
        return _joined(found, self) if callable(found) else join(found)


def _joined(method: Callable[..., Any], array: ndarray) -> Callable[..., Any]:
    """A method of an array's elements; what gives back the elements themselves gives back the array."""

    def call(*args: Any, **kwargs: Any) -> Any:
        plain = [arg._elements if isinstance(arg, LazyArray) else _real_class(arg) for arg in args]
        result = method(*plain, **{option: _real_class(value) for option, value in kwargs.items()})
        return array if result is getattr(method, "__self__", None) else join(result)

    return call


def _real_class(value: Any) -> Any:
    """NumPy's class for ours, as in `a.view(np.ndarray)`."""
    return np.ndarray if value is ndarray else value


_WRITING_METHODS = frozenset({"sort", "partition", "put", "itemset", "setfield", "setflags"})


def _recorded_method(array: ndarray, name: str) -> Callable[..., Any]:
    reason = "it has no compiled form"

    def method(value: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(value, name)(*args, **kwargs)

    def call(*args: Any, **kwargs: Any) -> Any:
        if name == "resize":
            raise SharedWrite("an array gets another size in place")
        if name == "byteswap" and (args or kwargs):
            run_on_copy(method, array, args, kwargs, f"numpy.ndarray.{name}", reason)
            return array
        if name in _WRITING_METHODS:
            return run_on_copy(method, array, args, kwargs, f"numpy.ndarray.{name}", reason)
        if name == "view" and array._storage.origin is None:
            found = run(_view, (array, *args), kwargs, "numpy.ndarray.view", reason)
            if isinstance(found, LazyArray):
                array._storage.shared = found._storage.shared = True
            return found
        return run(method, (array, *args), kwargs, f"numpy.ndarray.{name}", reason)

    return call


def _get(array: np.ndarray, key: Any) -> Any:
    return array[key]


def _view(array: Any, *args: Any, **kwargs: Any) -> Any:
    """What was computed is in C order for NumPy, however a replay keeps it."""
    found = array if isinstance(array, np.generic) else np.asarray(array, order="C")
    return found.view(*args, **kwargs)


def _set(array: np.ndarray, key: Any, values: Any) -> None:
    array[key] = values


def _astype(array: np.ndarray, dtype: np.dtype, **options: Any) -> np.ndarray:
    return array.astype(dtype, **options)


def _restored(elements: np.ndarray, is_scalar: bool) -> Any:
    """The way back from a pickle: an array is ours again, a scalar is NumPy's."""
    return elements[()] if is_scalar else from_array(elements)


_USUAL = frozenset({*PLAIN_NUMBERS, np.ndarray, ndarray})
"""Types of operands that override nothing."""
