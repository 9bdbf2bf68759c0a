"""Functions that NumPy itself writes in Python, in terms of others: its own code, run on lazy arrays.

Their meaning, defaults and errors are then NumPy's by construction. The code gets globals in which the makers
of arrays (`asarray`, `asanyarray`, `array`) give lazy arrays; every other function it calls dispatches to
ours by NumPy's own protocol, or runs in NumPy and is reported. Left out: functions whose code fills a new
array piece by piece, which would record one update a piece (`gradient`, `insert`, `pad`: see `index_maps`
and `products`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from fuse.integrations.numpy_array.base import LazyArray, Unsupported
from fuse.integrations.numpy_array.layout import as_array
from fuse.integrations.numpy_array.operands import given_node

Function = Callable[..., Any]


def _asarray(value: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.asarray`: lazy when lazy arrays take part, NumPy's otherwise."""
    given = value if isinstance(value, LazyArray) else given_node(value)
    if given is None:
        return np.asarray(value, dtype)
    found = as_array(value)
    if dtype is None or np.dtype(dtype) == found._dtype:
        return found
    return found.astype(dtype)  # type: ignore[attr-defined]  # the array class has it


def _array(value: Any, dtype: Any = None, *, ndmin: int = 0, **options: Any) -> Any:
    """`np.array(value, copy=None)`, lazy in the same cases."""
    found = _asarray(value, dtype)
    missing = ndmin - found.ndim
    return found.reshape((1,) * missing + found.shape) if missing > 0 else found


_MAKERS: Mapping[str, Function] = {"asarray": _asarray, "asanyarray": _asarray, "array": _array}


class _Numpy:
    """A module of NumPy whose makers of arrays are ours."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return _MAKERS[name] if name in _MAKERS else getattr(self._module, name)


def on_lazy_arrays(function: Any, instead: Mapping[str, str] | None = None) -> Function:
    """NumPy's implementation of a function with lazy arrays made where it makes real ones.

    The plain functions of its module that it calls get the same globals. `instead` names those that another
    one stands for: where NumPy has two ways to one result, the one that fills no array.
    """
    own = function._implementation
    scope: dict[str, Any] = {}
    for name, value in own.__globals__.items():
        scope[name] = _in_ours(name, value, own.__module__, scope)
    scope["ndarray"] = (np.ndarray, LazyArray)
    scope.update({name: scope[other] for name, other in (instead or {}).items() if other in scope})
    return _moved(own, scope)


def _in_ours(name: str, value: Any, module: str, scope: dict[str, Any]) -> Any:
    if name in _MAKERS:
        return _MAKERS[name]
    if name == "_concatenate":
        return np.concatenate  # NumPy's short way around its own dispatch
    if isinstance(value, ModuleType) and value.__name__.startswith("numpy"):
        return _Numpy(value)
    is_plain = isinstance(value, FunctionType) and not hasattr(value, "_implementation")
    return _moved(value, scope) if is_plain and value.__module__ == module else value


def _moved(function: FunctionType, scope: dict[str, Any]) -> FunctionType:
    """The same code with other globals."""
    made = FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


VIEWING: tuple[Function, ...] = (
    np.rot90, np.rollaxis, np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.unstack,
)  # fmt: skip
"""Functions whose results are views of their argument."""

_COMPOSED: tuple[Function, ...] = (
    *VIEWING, np.append, np.diff, np.tensordot, np.real_if_close, np.iscomplexobj,
    np.isrealobj, np.trapezoid, np.polyval, np.fix, np.angle, np.extract, np.matrix_transpose, np.meshgrid,
)  # fmt: skip

_of_arrays = on_lazy_arrays(np.piecewise)


def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """`np.piecewise`, recorded for arrays; a condition of a scalar is one of NumPy's scalars."""
    if isinstance(condlist, LazyArray) and condlist._scalar:
        raise Unsupported("the pieces of a scalar")
    return _of_arrays(x, condlist, funclist, *args, **kw)


FUNCTIONS: Mapping[Function, Function] = {
    **{function: on_lazy_arrays(function) for function in _COMPOSED},
    np.piecewise: piecewise,
    np.block: on_lazy_arrays(np.block, {"_block_slicing": "_block_concatenate"}),
}
