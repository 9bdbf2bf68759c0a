"""NumPy's universal functions as graph nodes: promotion, broadcasting, `out=`, `where=`, two results.

A ufunc whose name is an op of the graph becomes that op; the few others are composed of ops with the same
bits, by the table `COMPOSED`. What has no exact composition (`frexp`, generalised ufuncs) is left to NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from fuse.integrations.capture.doubts import watch_nodes
from fuse.integrations.capture.values import release, values
from fuse.integrations.capture.watching import warn_here
from fuse.integrations.numpy_array.base import LazyArray, Unsupported, from_node, length, location
from fuse.integrations.numpy_array.operands import (
    Operand,
    broadcast_together,
    broadcasts_into,
    fitted,
    is_derived,
    is_numeric,
    is_recorded,
    node_of,
    operand,
)
from fuse.integrations.numpy_array.storage import evaluate_pending
from fuse.ir import build
from fuse.ir.float_errors import is_silent
from fuse.ir.node import Node, make
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Shape
from fuse.plan.classify import can_emit

Nodes = tuple[Node, ...]
_NOT_GIVEN: Any = object()
_WITHOUT_OUT = (
    "'where' used without 'out', expect unitialized memory in output. If this is intentional, use out=None."
)


def node(op: str, *operands: Node) -> Node:
    """An elementwise op with the user's line."""
    return make(op, operands, None, location())


def _modf(value: Node) -> Nodes:
    """The fraction of an infinity is a zero, and both parts have the sign of the value."""
    whole = node("trunc", value)
    fraction = node(
        "select", node("isinf", value), build.constant(0, value.dtype), node("subtract", value, whole)
    )
    return node("copysign", fraction, value), whole


COMPOSED: Mapping[str, Callable[..., Nodes]] = {
    "float_power": lambda base, exponent: (_power(base, exponent),),
    "power": lambda base, exponent: (_power(base, exponent),),
    "fabs": lambda value: (node("absolute", value),),
    "conjugate": lambda value: (value,),
    "degrees": lambda value: (node("rad2deg", value),),
    "radians": lambda value: (node("deg2rad", value),),
    "divmod": lambda left, right: (node("floor_divide", left, right), node("remainder", left, right)),
    "modf": _modf,
}

_COMPARISONS = frozenset({"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"})


def _power(base: Node, exponent: Node) -> Node:
    """NumPy squares and takes roots where the exponent is one number, 2 or 0.5, of a larger dtype than
    float16.
    """
    if (
        exponent.op == "constant"
        and not exponent.shape
        and base.dtype.kind == "f"
        and base.dtype.itemsize > 2
    ):
        function = {2.0: "square", 0.5: "sqrt"}.get(float(exponent.attrs["value"].array))
        if function is not None:
            return node(function, base)
    return node("power", base, exponent)


def call(
    ufunc: np.ufunc, inputs: Sequence[Any], *, out: Any = _NOT_GIVEN, where: Any = True, **options: Any
) -> LazyArray | tuple[LazyArray, ...] | Any:
    """`ufunc(*inputs, out=…, where=…, dtype=…, casting=…, signature=…)`, recorded.

    Raises what NumPy raises for these dtypes and shapes, and Unsupported for what is left to NumPy.
    """
    if ufunc.signature is not None or not (ufunc.__name__ in COMPOSED or ufunc.__name__ in SCALAR_OPS):
        raise Unsupported("the function has no compiled form")
    operands = [operand(value) for value in inputs]
    targets = _targets(ufunc, None if out is Ellipsis or out is _NOT_GIVEN else out)
    dtypes = _resolve(ufunc, operands, options)
    for target, dtype in zip(targets, dtypes[ufunc.nin :], strict=True):
        _check_output(ufunc, dtype, target, options)
    folded = _out_of_range(ufunc, operands, dtypes)
    nodes = (folded,) if folded is not None else record(ufunc, operands, dtypes, targets)
    mask = None if where is True else _mask(where)
    if not is_silent(ufunc.__name__, dtypes) or any(map(Operand.overflows, operands, dtypes)):
        own = [value.node for value in operands if value.node is not None]
        watch_nodes(ufunc.__name__, nodes, own, mask)
    if mask is not None:
        nodes = _masked(nodes, mask, targets)
        if out is _NOT_GIVEN:
            warn_here(_WITHOUT_OUT, UserWarning)
    is_scalar = out is not Ellipsis and not any(found.shape for found in nodes)
    results = tuple(
        from_node(found, scalar=is_scalar) if target is None else store(ufunc, found, target, options)
        for found, target in zip(nodes, targets, strict=True)
    )
    return results if ufunc.nout > 1 else results[0]


def record(
    ufunc: np.ufunc, operands: Sequence[Operand], dtypes: Sequence[np.dtype], targets: Sequence[Any] = ()
) -> Nodes:
    """The nodes of a ufunc's results; `dtypes` are those of a loop, operands first."""
    _check_exponent(ufunc, operands, dtypes)
    converted = [o.as_node(dtype) for o, dtype in zip(operands, dtypes, strict=False)]
    converted = broadcast_operands(ufunc, converted, targets)
    compose = COMPOSED.get(ufunc.__name__)
    if compose is not None and all(is_numeric(value.dtype) for value in converted):
        return compose(*converted)
    kinds = [value.dtype for value in converted]
    if not all(map(is_numeric, kinds)) and not can_emit(ufunc.__name__, kinds):
        raise Unsupported(f"it has no compiled form for {' and '.join(map(str, kinds))}")
    return (node(ufunc.__name__, *converted),)


def broadcast_operands(
    function: Callable[..., Any], nodes: Sequence[Node], targets: Sequence[Any] = ()
) -> list[Node]:
    """Operands of one shape, with the error of this function when they or its outputs do not broadcast."""
    outputs = [target for target in targets if target is not None]
    try:
        shape, found = broadcast_together(nodes)
    except ValueError:
        _ask_for_shape_error(function, nodes, targets if outputs else ())
        raise
    if not all(_takes(target, shape) for target in outputs):
        _ask_for_shape_error(function, nodes, targets)
    return found


def _takes(target: Any, shape: Shape) -> bool:
    """Whether an output takes results of a shape."""
    if isinstance(target, LazyArray) and target._dims == shape:
        return True
    return broadcasts_into(tuple(map(length, shape)), tuple(target.shape))


def _ask_for_shape_error(function: Callable[..., Any], nodes: Sequence[Node], targets: Sequence[Any]) -> None:
    """Call NumPy with arrays of the same types that have one element of memory; it fails before it
    computes.
    """
    inputs = [np.broadcast_to(np.ones((), value.dtype), tuple(map(length, value.shape))) for value in nodes]
    if not targets:
        function(*inputs)
        return
    function(*inputs, out=tuple(None if target is None else hollow(target) for target in targets))


def hollow(target: Any) -> np.ndarray:
    """A writable array of the type of another over one element of memory."""
    shape = tuple(target.shape)
    return as_strided(np.ones(1, target.dtype), shape, (0,) * len(shape))


def _resolve(
    ufunc: np.ufunc, operands: Sequence[Operand], options: Mapping[str, Any]
) -> tuple[np.dtype, ...]:
    """The dtypes of NumPy's loop. Its own call on empty arrays tells the error, if there is one."""
    if set(options) - {"dtype", "casting", "signature", "sig", "order", "subok"}:
        raise Unsupported(f"the option {sorted(options)[0]}")
    signature = options.get("signature", options.get("sig"))
    if options.get("dtype") is not None:
        signature = (None,) * ufunc.nin + (np.dtype(options["dtype"]),) * ufunc.nout
    asked: dict[str, Any] = {} if signature is None else {"signature": signature}
    if "casting" in options:
        asked["casting"] = options["casting"]
    try:
        dtypes = ufunc.resolve_dtypes((*(o.dtype for o in operands), *(None,) * ufunc.nout), **asked)
    except TypeError:
        ufunc(*(_empty(o) for o in operands), **options)
        raise
    if not all(map(is_recorded, dtypes)):
        raise Unsupported(f"its loop here is for {', '.join(map(str, dtypes))}")
    return dtypes


def _empty(value: Operand) -> Any:
    return value.number if value.node is None else np.empty(0, value.node.dtype)


def _out_of_range(ufunc: np.ufunc, operands: Sequence[Operand], dtypes: Sequence[np.dtype]) -> Node | None:
    """A comparison with a Python int that the dtype cannot hold: the same answer for every element."""
    if ufunc.__name__ not in _COMPARISONS:
        return None
    for position, (value, dtype) in enumerate(zip(operands, dtypes, strict=False)):
        number = value.number
        if value.node is None and dtype.kind in "iu" and isinstance(number, int) and not _fits(number, dtype):
            other = operands[1 - position]
            sample = [np.zeros((), other.dtype), value.number]
            answer = ufunc(*(sample if position else reversed(sample)))
            return build.broadcast(build.constant(bool(answer)), other.shape)
    return None


def _fits(number: float, dtype: np.dtype) -> bool:
    limits = np.iinfo(dtype)
    return bool(limits.min <= number <= limits.max)


def _check_exponent(ufunc: np.ufunc, operands: Sequence[Operand], dtypes: Sequence[np.dtype]) -> None:
    """Integers to negative powers are an error of the values: only exponents known not to be negative are
    recorded.
    """
    if ufunc.__name__ != "power" or dtypes[-1].kind != "i":
        return
    exponent = operands[1]
    if exponent.node is None:
        ufunc(np.ones(1, dtypes[0]), exponent.number)
    elif exponent.node.dtype.kind == "i":
        raise Unsupported("integer exponents may be negative, which is an error of the values")


def _targets(ufunc: np.ufunc, out: Any) -> tuple[Any, ...]:
    if out is None:
        return (None,) * ufunc.nout
    if ufunc.nout > 1 and not isinstance(out, tuple):
        raise TypeError("'out' must be a tuple of arrays")
    return tuple(out) if isinstance(out, tuple) else (out,)


def _mask(where: Any) -> Node:
    mask = node_of(np.asarray(where, bool) if type(where) is list else where)
    if mask.dtype != np.dtype(bool):
        raise TypeError(
            f"Cannot cast array data from {mask.dtype!r} to dtype('bool') according to the rule 'safe'"
        )
    return mask


def _masked(nodes: Nodes, mask: Node, targets: Sequence[Any]) -> Nodes:
    """Where the mask is false the result keeps what `out` had; without `out` it may be anything."""
    result = []
    for found, target in zip(nodes, targets, strict=True):
        old = found if target is None else node_of(target)
        new = build.convert(found, old.dtype)
        shape, (condition, new, old) = broadcast_together([mask, new, old])
        result.append(build.broadcast(node("select", condition, new, old), shape))
    return tuple(result)


def _check_output(ufunc: np.ufunc, dtype: np.dtype, target: Any, options: Mapping[str, Any]) -> None:
    """NumPy's errors for an `out` of another kind or dtype."""
    if target is None:
        return
    if getattr(target, "_scalar", False) or not isinstance(target, LazyArray | np.ndarray):
        raise TypeError("return arrays must be of ArrayType")
    wanted = _dtype_of(target)
    if is_derived(target) or not is_recorded(wanted):
        raise Unsupported(f"out of the class {type(target).__name__} and dtype {wanted}")
    casting = options.get("casting", "same_kind")
    if not np.can_cast(dtype, wanted, casting):
        if "m" in (dtype.kind + wanted.kind).lower():
            raise Unsupported(f"a result of {dtype} in an array of {wanted}")
        _raise_casting_error(ufunc, dtype, wanted, casting)


def _dtype_of(target: LazyArray | np.ndarray) -> np.dtype:
    return target._dtype if isinstance(target, LazyArray) else target.dtype


def store(ufunc: np.ufunc, value: Node, target: Any, options: Mapping[str, Any]) -> Any:
    """Write a result into `out`, with NumPy's errors for its dtype and shape; returns `out`."""
    _check_output(ufunc, value.dtype, target, options)
    if not _takes(target, value.shape):
        ones = np.broadcast_to(np.ones((), target.dtype), tuple(map(length, value.shape)))
        np.maximum(ones, ones, out=hollow(target))
    if isinstance(target, LazyArray):
        target._write(fitted(build.convert(value, target._dtype), target._dims))
    else:
        found = values([value])[0]
        evaluate_pending()
        release(target)
        np.copyto(target, found, casting="unsafe")
    return target


def _raise_casting_error(ufunc: np.ufunc, source: np.dtype, target: np.dtype, casting: Any) -> None:
    outputs = (np.empty(0, target),) if ufunc.nout == 1 else (np.empty(0, target),) * ufunc.nout
    ufunc(*(np.empty(0, source),) * ufunc.nin, out=outputs, casting=casting)
    raise TypeError(f"Cannot cast ufunc '{ufunc.__name__}' output from {source!r} to {target!r}")
