"""Every method and attribute of `np.ndarray`, one by one: what NumPy's array answers, ours answers.

A name that NumPy has and this table does not fails the test, so a new version of NumPy shows what is new.
"""

from __future__ import annotations

import copy
import ctypes
import io
import math
import operator
import os
import pickle
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import fuse
import fuse.numpy as fnp
from fuse import config
from fuse.integrations.numpy_array.base import LazyArray, from_array
from tests.fuzz.compare import same_bits, within_ulps

Probe = Callable[[Any], Any]

ARRAYS: Mapping[str, np.ndarray] = {
    "matrix": np.array([[3.5, -1.25, 0.0], [2.0, 7.5, -0.0]]),
    "vector": np.array([5, 3, 8, 1], np.int32),
    "cube": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "bools": np.array([True, False, True]),
    "bytes": np.array([1, 200, 3], np.uint8),
    "zero-d": np.array(2.5),
    "one": np.array([3]),
    "empty": np.empty((0, 3)),
    "days": np.array(["2024-01-05", "NaT"], "datetime64[D]"),
    "complex": np.array([1 + 2j, -3.5j]),
}


def after(change: Callable[[Any], Any]) -> Probe:
    """What a change returns, and what it leaves in the array."""

    def probe(a: Any) -> Any:
        result = change(a)
        return ["itself" if result is a else result, a]

    return probe


def setting(name: str, value: Any) -> Probe:
    return after(lambda a: setattr(a, name, value))


def put(key: Any, value: Any) -> Probe:
    return after(lambda a: operator.setitem(a, key, value))


def binary(function: Callable[[Any, Any], Any]) -> tuple[Probe, ...]:
    return (
        lambda a: function(a, 2),
        lambda a: function(a, a),
        lambda a: function(a, np.float32(3)),
        lambda a: function(a, a.shape and [1] * a.shape[-1]),
    )


def reflected(function: Callable[[Any, Any], Any]) -> tuple[Probe, ...]:
    return (
        lambda a: function(3, a),
        lambda a: function(np.float32(3), a),
        lambda a: function([1] * (a.shape[-1] if a.shape else 1), a),
    )


def in_place(function: Callable[[Any, Any], Any]) -> tuple[Probe, ...]:
    return (
        after(lambda a: function(a, 2)),
        after(lambda a: function(a, np.int8(1))),
        after(lambda a: function(a, a + a)),
    )


def to_file(a: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "elements")
        a.tofile(path)
        with open(path, "rb") as file:
            return file.read()


def dumped(a: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pickle")
        a.dump(path)
        with open(path, "rb") as file:
            return np.asarray(pickle.load(file))


def from_interface(a: Any) -> Any:
    """The dictionary but for the address, and what NumPy reads by it."""
    found = dict(a.__array_interface__)
    address, read_only = found.pop("data")
    found.pop("strides")
    return [found, isinstance(address, int), read_only]


def through_memory(a: Any) -> Any:
    view = a.data
    return [view.format, view.shape, view.tobytes(), view.readonly, view.ndim]


def flags(a: Any) -> Any:
    return [a.flags[name] for name in ("C", "A", "W", "B")] + [a.flags.c_contiguous, a.flags.aligned]


_REDUCTIONS: tuple[tuple[Any, ...], ...] = ((), (0,), (-1,), (None,))


def reduction(name: str) -> tuple[Probe, ...]:
    plain = tuple((lambda a, args=args: getattr(a, name)(*args)) for args in _REDUCTIONS)
    options = {} if name in ("argmin", "argmax") else {"keepdims": True}
    return (*plain, lambda a: getattr(a, name)(axis=0, **options), lambda a: getattr(a, name)(axis=9))


def called(name: str, *arguments: tuple[Any, ...]) -> tuple[Probe, ...]:
    return tuple((lambda a, given=given: getattr(a, name)(*given)) for given in arguments)


def attribute(name: str) -> tuple[Probe, ...]:
    return (lambda a: getattr(a, name),)


PROBES: Mapping[str, tuple[Probe, ...]] = {
    "T": attribute("T"),
    "mT": attribute("mT"),
    "real": (*attribute("real"), setting("real", 7)),
    "imag": (*attribute("imag"), setting("imag", 7)),
    "device": attribute("device"),
    "dtype": attribute("dtype"),
    "itemsize": attribute("itemsize"),
    "nbytes": attribute("nbytes"),
    "ndim": attribute("ndim"),
    "shape": (*attribute("shape"), setting("shape", (-1,)), setting("shape", (7, 7))),
    "size": attribute("size"),
    "strides": attribute("strides"),
    "flags": (flags, after(lambda a: setattr(a.flags, "writeable", False))),
    "flat": (
        lambda a: list(a.flat), lambda a: a.flat[0], lambda a: len(a.flat), setting("flat", 1),
        after(lambda a: operator.setitem(a.flat, 0, 1)), lambda a: a.flat[:2],
    ),
    "data": (through_memory,),
    "ctypes": (
        lambda a: [type(a.ctypes.data), tuple(a.ctypes.shape), tuple(a.ctypes.strides)],
        lambda a: bytes(ctypes.string_at(a.ctypes.data, a.nbytes)),
    ),
    "__array__": (
        lambda a: a.__array__(), lambda a: a.__array__(np.float32), lambda a: a.__array__(copy=True),
        lambda a: a.__array__(np.dtype("f2"), copy=False), lambda a: a.__array__(copy=False),
        lambda a: np.asarray(a), lambda a: np.array(a, dtype=complex), lambda a: np.asarray(a, copy=False),
        lambda a: np.asarray(a, dtype=object),
    ),
    "__array_interface__": (from_interface,),
    "__array_priority__": attribute("__array_priority__"),
    "__array_ufunc__": (
        lambda a: np.add(a, 1), lambda a: np.multiply(2, a), lambda a: np.add.reduce(a),
        lambda a: np.add.accumulate(a), lambda a: np.add.outer(a, [1, 2]),
        lambda a: a.__array_ufunc__(np.negative, "__call__", a),
        lambda a: a.__array_ufunc__(np.add, "reduce", a),
    ),
    "__array_function__": (
        lambda a: np.sum(a), lambda a: np.concatenate([a, a]), lambda a: np.sort(a),
        lambda a: a.__array_function__(np.ravel, (type(a),), (a,), {}),
    ),
    "__array_wrap__": (
        lambda a: a.__array_wrap__(np.arange(3.0)), lambda a: a.__array_wrap__(np.array(1.0), None, True),
        lambda a: a.__array_wrap__(np.array(1.0), None, False),
    ),
    "__array_namespace__": (
        lambda a: a.__array_namespace__().__name__.split(".")[-1],
        lambda a: a.__array_namespace__(api_version="2024.12").pi,
        lambda a: a.__array_namespace__(api_version="1999.01"),
    ),
    "__dlpack__": (
        np.from_dlpack, lambda a: type(a.__dlpack__()).__name__,
        lambda a: type(a.__dlpack__(max_version=(1, 0))).__name__, lambda a: a.__dlpack__(stream=1),
    ),
    "__dlpack_device__": (lambda a: tuple(map(int, a.__dlpack_device__())),),
    "__bool__": (bool, lambda a: not a, lambda a: bool(a[:1]) if a.shape else None),
    "__int__": (int, lambda a: int(a.reshape(-1)[0])),
    "__float__": (float, math.floor, lambda a: float(a.reshape(-1)[0])),
    "__complex__": (complex,),
    "__index__": (operator.index, lambda a: [1, 2, 3, 4][a]),
    "__len__": (len,),
    "__iter__": (list, lambda a: [np.ndim(item) for item in a], lambda a: max(a)),
    "__contains__": (lambda a: 3 in a, lambda a: 99 in a, lambda a: None in a),
    "__repr__": (repr, lambda a: repr(a.sum()), lambda a: f"{a!r}"),
    "__str__": (str, lambda a: str(a.sum()), lambda a: f"{a}"),
    "__format__": (lambda a: format(a, ""), lambda a: f"{a:.3f}", lambda a: f"{a.max():.3f}"),
    "__reduce__": (
        lambda a: np.asarray(pickle.loads(pickle.dumps(a))),
        lambda a: [np.asarray(pickle.loads(pickle.dumps(a, protocol=n))) for n in range(6)],
    ),
    "__reduce_ex__": (lambda a: np.asarray(copy.copy(a)),),
    "__copy__": (copy.copy, after(lambda a: copy.copy(a).fill(1)), lambda a: a.__copy__()),
    "__deepcopy__": (copy.deepcopy, after(lambda a: copy.deepcopy(a).fill(1)), lambda a: a.__deepcopy__({})),
    "__getitem__": called(
        "__getitem__", (0,), (-1,), (...,), (None,), ((),), (slice(1, None),), ([0, 0],), (9,), ("a",),
        ((slice(None), 0),), (np.True_,), (1.5,),
    ),
    "__setitem__": (
        put(0, 1), put(..., 1), put(slice(None, None, 2), 1), put(9, 1), put([0, 0], 1), put((), 1),
    ),
    "__delitem__": (lambda a: operator.delitem(a, 0),),
    "__hash__": (hash,),
    "__sizeof__": (lambda a: a.__sizeof__() > 0,),
    "__class__": (lambda a: isinstance(a, fnp.ndarray),),
    "__class_getitem__": (lambda a: str(type(a)[Any, np.dtype[Any]]).split(".")[-1].split("[")[0],),
    "__dir__": (lambda a: {name for name in dir(np.ndarray) if name[0] != "_"} <= set(dir(a)),),
    "__doc__": (lambda a: bool(type(a).__doc__),),
    "__eq__": (*binary(operator.eq), lambda a: a == "text", lambda a: a == None),  # noqa: E711
    "__ne__": (*binary(operator.ne), lambda a: a != "text"),
    "__lt__": binary(operator.lt), "__le__": binary(operator.le),
    "__gt__": binary(operator.gt), "__ge__": binary(operator.ge),
    "__neg__": (operator.neg,), "__pos__": (operator.pos,), "__abs__": (abs,),
    "__invert__": (operator.invert,),
    "__add__": binary(operator.add), "__sub__": binary(operator.sub), "__mul__": binary(operator.mul),
    "__truediv__": binary(operator.truediv), "__floordiv__": binary(operator.floordiv),
    "__mod__": binary(operator.mod), "__divmod__": binary(divmod), "__pow__": binary(operator.pow),
    "__matmul__": (lambda a: a @ a, lambda a: a @ a.T, lambda a: a @ 2),
    "__and__": binary(operator.and_), "__or__": binary(operator.or_), "__xor__": binary(operator.xor),
    "__lshift__": binary(operator.lshift), "__rshift__": binary(operator.rshift),
    "__radd__": reflected(operator.add), "__rsub__": reflected(operator.sub),
    "__rmul__": reflected(operator.mul), "__rtruediv__": reflected(operator.truediv),
    "__rfloordiv__": reflected(operator.floordiv), "__rmod__": reflected(operator.mod),
    "__rdivmod__": reflected(divmod), "__rpow__": reflected(operator.pow),
    "__rmatmul__": (lambda a: [1] * (a.shape[0] if a.shape else 1) @ a,),
    "__rand__": reflected(operator.and_), "__ror__": reflected(operator.or_),
    "__rxor__": reflected(operator.xor), "__rlshift__": reflected(operator.lshift),
    "__rrshift__": reflected(operator.rshift),
    "__iadd__": in_place(operator.iadd), "__isub__": in_place(operator.isub),
    "__imul__": in_place(operator.imul), "__itruediv__": in_place(operator.itruediv),
    "__ifloordiv__": in_place(operator.ifloordiv), "__imod__": in_place(operator.imod),
    "__ipow__": in_place(operator.ipow), "__imatmul__": (after(lambda a: operator.imatmul(a, a)),),
    "__iand__": in_place(operator.iand), "__ior__": in_place(operator.ior),
    "__ixor__": in_place(operator.ixor), "__ilshift__": in_place(operator.ilshift),
    "__irshift__": in_place(operator.irshift),
    "all": reduction("all"), "any": reduction("any"), "sum": reduction("sum"), "prod": reduction("prod"),
    "min": reduction("min"), "max": reduction("max"), "mean": reduction("mean"), "var": reduction("var"),
    "std": reduction("std"), "argmin": reduction("argmin"), "argmax": reduction("argmax"),
    "cumsum": called("cumsum", (), (0,), (-1,), (9,)), "cumprod": called("cumprod", (), (0,)),
    "argpartition": called("argpartition", (0,), (9,)),
    "argsort": (*called("argsort", (), (0,), (None,)), lambda a: a.argsort(stable=True)),
    "partition": tuple(map(after, called("partition", (0,), (9,)))),
    "sort": (*map(after, called("sort", (), (0,), (9,))), after(lambda a: a.sort(kind="stable"))),
    "astype": (
        *called("astype", (np.float32,), ("i8",), (bool,), (complex,), (str,), (object,)),
        lambda a: a.astype(np.int8, casting="safe"), lambda a: a.astype(a.dtype, copy=False) is a,
    ),
    "byteswap": (*called("byteswap", ()), after(lambda a: a.byteswap(inplace=True))),
    "choose": (lambda a: a.choose([10, 20]), lambda a: a.choose([[1], [2]], mode="wrap")),
    "clip": (*called("clip", (1, 3), (None, 2), (2,), (3, 1)), lambda a: a.clip(min=1), lambda a: a.clip()),
    "compress": called("compress", ([True, False],), ([True], 0), ([False, True], -1)),
    "conj": called("conj", ()), "conjugate": called("conjugate", ()),
    "copy": (*called("copy", (), ("C",)), after(lambda a: a.copy().fill(1)), lambda a: a.copy(order="K")),
    "diagonal": called("diagonal", (), (1,)),
    "dot": (lambda a: a.dot(a), lambda a: a.dot(a.T), lambda a: a.dot(2)),
    "dump": (dumped,), "dumps": (lambda a: np.asarray(pickle.loads(a.dumps())),),
    "fill": (after(lambda a: a.fill(3)), after(lambda a: a.fill("text")), after(lambda a: a.fill([1, 2]))),
    "flatten": (*called("flatten", (), ("F",)), after(lambda a: a.flatten().fill(1))),
    "getfield": (lambda a: a.getfield(np.uint8), lambda a: a.getfield(np.uint8, 99)),
    "setfield": (after(lambda a: a.setfield(1, np.uint8)),),
    "item": called("item", (), (0,), (9,), ((0, 1),)),
    "nonzero": called("nonzero", ()),
    "put": (
        after(lambda a: a.put([0], 9)), after(lambda a: a.put([99], 9)), after(lambda a: a.put(5, 9, "wrap")),
    ),
    "ravel": (*called("ravel", (), ("F",), ("K",)), after(lambda a: a.ravel().fill(1))),
    "repeat": called("repeat", (2,), (2, 0), (2, 9)),
    "reshape": called("reshape", (-1,), ((-1, 1),), (1, -1), (7, 7)),
    "resize": (after(lambda a: a.resize((2, 2), refcheck=False)), after(lambda a: a.resize(a.shape))),
    "round": called("round", (), (1,), (-1,)),
    "searchsorted": called("searchsorted", (2,), ([1, 3],), (2, "right")),
    "setflags": (after(lambda a: a.setflags(write=False)), lambda a: a.setflags(uic=True)),
    "squeeze": called("squeeze", (), (0,)),
    "swapaxes": called("swapaxes", (0, -1), (0, 9)),
    "take": (*called("take", (0,), ([0, 0],), ([0], 0), (99,)), lambda a: a.take(99, mode="clip")),
    "to_device": called("to_device", ("cpu",), ("gpu",)),
    "tobytes": called("tobytes", (), ("F",)),
    "tofile": (to_file,),
    "tolist": called("tolist", ()),
    "trace": called("trace", (), (1,)),
    "transpose": called("transpose", (), (None,), ((1, 0),), (1, 0)),
    "view": (*called("view", (), (np.uint8,), (np.int64,)), after(lambda a: a.view().fill(1))),
}  # fmt: skip

NOT_COMPARED = {
    "__array_finalize__": "called by NumPy on classes derived from ndarray, and those are NumPy's",
    "__array_struct__": "it knows no units of dates, and NumPy would ask for it first",
    "__delattr__": "Python's own", "__getattribute__": "Python's own", "__setattr__": "Python's own",
    "__getstate__": "Python's own", "__init__": "Python's own", "__init_subclass__": "Python's own",
    "__new__": "makes arrays: tested with creation", "__subclasshook__": "Python's own",
    "__setstate__": "NumPy's way back from its own pickles; ours has its own",
    "base": "a view of a lazy array is a step over its storage: there is no array below it",
}  # fmt: skip


class Raised:
    """An exception as a result."""

    def __init__(self, error: Exception) -> None:
        self.kind, self.message = type(error), str(error)

    def __repr__(self) -> str:
        return f"{self.kind.__name__}({self.message!r})"


def outcome(probe: Probe, array: Any) -> Any:
    with np.errstate(all="ignore"):
        try:
            return real(probe(array))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what we compare
            return Raised(error)


def real(value: Any) -> Any:
    if isinstance(value, LazyArray):
        elements = np.array(value)
        return elements[()] if value._scalar else elements
    if isinstance(value, tuple | list):
        return type(value)(map(real, value))
    return value


def same(expected: Any, found: Any) -> bool:
    if isinstance(expected, Raised):
        return isinstance(found, Raised) and (expected.kind, expected.message) == (found.kind, found.message)
    if type(expected) is not type(found):
        return False
    if isinstance(expected, tuple | list):
        return len(expected) == len(found) and all(map(same, expected, found))
    if isinstance(expected, np.ndarray | np.generic):
        left, right = np.asarray(expected), np.asarray(found)
        if left.dtype.kind in "OUmMc":  # no dtype of which bits are compared
            is_alike = left.dtype == right.dtype and left.shape == right.shape
            return is_alike and (left.dtype.kind == "O" or left.tobytes() == right.tobytes())
        return same_bits(left, right)
    return bool(expected == found or (expected != expected and found != found))


def test_every_name_of_numpys_array_has_probes() -> None:
    assert set(dir(np.ndarray)) - set(PROBES) - set(NOT_COMPARED) == set()
    assert not set(PROBES) & set(NOT_COMPARED)


def made(array: np.ndarray, is_pending: bool) -> Any:
    """Our array with these elements: there already, or still to be computed."""
    ours = from_array(array.copy())
    return ours.__copy__() if is_pending else ours


@pytest.mark.parametrize("rows", [0, 4096], ids=["recorded", "at once"])
@pytest.mark.parametrize("name", sorted(PROBES))
def test_members(name: str, rows: int) -> None:
    wrong = []
    for kind, array in ARRAYS.items():
        for number, probe in enumerate(PROBES[name]):
            expected = outcome(probe, array.copy())
            with config.config(min_rows=rows, raise_internal=True):
                found = outcome(probe, made(array, rows == 0))
            if not same(expected, found):
                wrong.append(f"{kind}, probe {number}: {expected!r} is not {found!r}")
    assert not wrong, "\n".join(wrong)


WITHIN_AN_ULP = {"__pow__", "__rpow__", "__ipow__"}
ITS_OWN_WHEN_COMPILED = {"__array_interface__": "a stand-in has no memory: the plain function runs"}


@pytest.mark.parametrize("name", sorted(set(PROBES) - set(ITS_OWN_WHEN_COMPILED)))
def test_members_in_compiled_functions(name: str) -> None:
    """What is returned, and what becomes of the argument."""
    agree = alike if name in WITHIN_AN_ULP else same
    wrong = []
    for kind in ("matrix", "vector", "bools", "zero-d", "days"):
        for number, probe in enumerate(PROBES[name]):
            array = ARRAYS[kind]
            theirs, ours = array.copy(), array.copy()
            expected = outcome(probe, theirs)
            with config.config(min_rows=0, raise_internal=True):
                found = outcome(fuse.jit(probe), ours)
            if not agree([expected, theirs], [found, ours]):
                wrong.append(f"{kind}, probe {number}: {expected!r} is not {found!r}; {theirs!r}, {ours!r}")
    assert not wrong, "\n".join(wrong)


def alike(expected: Any, found: Any) -> bool:
    if isinstance(expected, list) and isinstance(found, list):
        return all(map(alike, expected, found))
    if isinstance(expected, np.ndarray) and expected.dtype.kind == "f":
        return within_ulps(expected, np.asarray(found), 1)
    return same(expected, found)


def test_saved_arrays() -> None:
    ours = fnp.asarray(ARRAYS["matrix"]) * 2
    for save in (np.save, fnp.save):
        file = io.BytesIO()
        save(file, ours)
        for load in (np.load, fnp.load):
            file.seek(0)
            assert same_bits(np.asarray(load(file)), ARRAYS["matrix"] * 2)
    file = io.BytesIO()
    np.savez(file, first=ours)
    file.seek(0)
    assert same_bits(np.load(file)["first"], ARRAYS["matrix"] * 2)


SCALARS = {
    "float64": np.linspace(0.1, 9.7, 30).sum(),
    "float32": np.linspace(0.1, 9.7, 30, dtype=np.float32).max(),
    "int64": np.arange(30).sum(),
    "uint8": np.arange(30, dtype=np.uint8).max(),
    "bool": np.array([True, False]).any(),
}
OF_PYTHON: Mapping[str, Probe] = {
    "round": round,
    "round to digits": lambda s: round(s, 1),
    "floor": math.floor,
    "ceil": math.ceil,
    "hash": hash,
    "key": lambda s: {s: 1}[s],
    "index": operator.index,
    "format": lambda s: f"{s:.2f} {s!r} {s}",
    "percent": lambda s: "%.3f" % s,  # noqa: UP031
    "pickle": lambda s: pickle.loads(pickle.dumps(s)),
    "copies": lambda s: [copy.copy(s), copy.deepcopy(s)],
    "range": lambda s: len(range(s)),
    "length": len,
    "item": lambda s: s[0],
    "all of it": lambda s: s[()],
    "assigned": lambda s: operator.setitem(s, (), 1),
    "bool": bool,
}
"""What Python does with a scalar."""
CHANGING = frozenset({"setfield", "setflags", "resize", "dump", "tofile", "newbyteorder", "base", "data"})
CHANGING_OR_ITS_OWN = CHANGING | {"fromhex", "from_number", "flags", "ctypes", "flat"}


def scalar(value: Any) -> Any:
    """One of ours for one of NumPy's: an element that is still to be computed."""
    return from_array(np.array([value, value])).max()


def is_call_without_arguments(found: Any) -> bool:
    """A method that wants some; Python and C word that differently."""
    return isinstance(found, Raised) and found.kind is TypeError and "argument" in found.message


@pytest.mark.parametrize("kind", sorted(SCALARS))
def test_members_of_scalars(kind: str) -> None:
    value = SCALARS[kind]
    names = [name for name in dir(value) if name[0] != "_" and name not in CHANGING_OR_ITS_OWN]
    probes = {name: operator.attrgetter(name) for name in names} | dict(OF_PYTHON)
    wrong = []
    for name, probe in probes.items():

        def called(s: Any, probe: Probe = probe) -> Any:
            found = probe(s)
            return found() if callable(found) else found

        expected = outcome(called, value)
        with config.config(min_rows=0, raise_internal=True):
            ours = scalar(value)
            assert isinstance(ours, LazyArray)
            found = outcome(called, ours)
        if is_call_without_arguments(expected) and is_call_without_arguments(found):
            continue
        if not same(expected, found):
            wrong.append(f"{name}: {expected!r} is not {found!r}")
    assert not wrong, "\n".join(wrong)
