"""Every public name of NumPy, and what `fuse.numpy` makes of it: derived from what the name leads to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from docs.tables import names
from fuse.integrations.numpy_array import creation, elementwise, functions, generators
from fuse.integrations.numpy_array.array import ndarray
from fuse.integrations.numpy_array.face import Ufunc, lookup
from fuse.integrations.numpy_array.operands import is_numeric
from fuse.ir.scalar_ops import SCALAR_OPS

OP, COMPOSED, RECORDED, CREATED = "an op", "composed of ops", "recorded", "makes arrays"
WRITING, STEP, CLASS, FORWARDED = "writes into an argument", "runs in NumPy", "a class", "NumPy's own"
_OF_SOME_PLATFORMS = frozenset({"float96", "float128", "complex192", "complex256"})
KINDS = (OP, COMPOSED, RECORDED, CREATED, WRITING, STEP, CLASS, FORWARDED)


def kind_of(found: Any, theirs: Any) -> str:
    """What a name is, by what fuse has in the place of NumPy's object."""
    if isinstance(theirs, type):
        return CLASS
    if not callable(theirs):
        return FORWARDED
    if type(found) is Ufunc:
        return _kind_of_ufunc(theirs)
    if theirs in creation_functions():
        return CREATED
    if found is theirs:
        return FORWARDED
    if theirs in functions.MUTATING:
        return WRITING
    return RECORDED if theirs in functions.TABLE else STEP


def _kind_of_ufunc(ufunc: np.ufunc) -> str:
    name = ufunc.__name__
    if name == "matmul":
        return OP
    if ufunc.signature is not None or not _takes_numbers(ufunc):
        return STEP
    return OP if name in SCALAR_OPS else COMPOSED if name in elementwise.COMPOSED else STEP


def _takes_numbers(ufunc: np.ufunc) -> bool:
    """Whether it has a loop for dtypes that are recorded."""
    inputs = (loop.partition("->")[0] for loop in ufunc.types)
    return any(all(is_numeric(np.dtype(letter)) for letter in letters) for letters in inputs)


@cache
def creation_functions() -> frozenset[Any]:
    """NumPy's functions that fuse has its own for, because they take no array to dispatch on."""
    return frozenset(getattr(np, name) for name in creation.CREATION)


@cache
def kinds() -> Mapping[str, str]:
    """The kind of every public name of `numpy`."""
    return {name: kind_of(lookup(name), getattr(np, name)) for name in public(np)}


def public(module: ModuleType) -> Iterable[str]:
    """The names that a module declares, those that it has on every platform."""
    return sorted(set(module.__all__) - _OF_SOME_PLATFORMS)


def _of_kind(kind: str) -> str:
    return names(name for name, found in kinds().items() if found == kind)


def numpy_ufuncs() -> str:
    """Ufuncs that are an op of the graph."""
    return _of_kind(OP)


def numpy_composed() -> str:
    """Ufuncs that are composed of ops."""
    return _of_kind(COMPOSED)


def numpy_functions() -> str:
    """The functions that are recorded."""
    return _of_kind(RECORDED)


def numpy_creation() -> str:
    """The functions that make arrays."""
    return _of_kind(CREATED)


def numpy_writing() -> str:
    """The functions that write into an argument."""
    return _of_kind(WRITING)


def numpy_steps() -> str:
    """Functions and ufuncs that NumPy runs."""
    return _of_kind(STEP)


def numpy_classes() -> str:
    """Classes and dtypes."""
    return _of_kind(CLASS)


def numpy_forwarded() -> str:
    """Constants, submodules and other objects."""
    return _of_kind(FORWARDED)


def _namespace(name: str) -> Mapping[str, str]:
    theirs, ours = getattr(np, name), lookup(name)
    return {entry: kind_of(getattr(ours, entry), getattr(theirs, entry)) for entry in public(theirs)}


def _listed(found: Mapping[str, str]) -> str:
    present = [kind for kind in KINDS if kind in found.values()]
    lists = ((kind, names(name for name, other in found.items() if other == kind)) for kind in present)
    return "\n\n".join(f"{kind[0].upper()}{kind[1:]}:\n{text}" for kind, text in lists)


def numpy_linalg() -> str:
    """The names of `numpy.linalg`."""
    return _listed(_namespace("linalg"))


def numpy_fft() -> str:
    """The names of `numpy.fft`."""
    return _listed(_namespace("fft"))


def numpy_random() -> str:
    """The names of `numpy.random`."""
    return _listed(_namespace("random"))


def numpy_generators() -> str:
    """The methods of generators."""
    drawn = {name for name in vars(generators.Generator) if not name.startswith("_")}
    return names(drawn - {"in_numpy"})


def _public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def _own(kind: type) -> set[str]:
    """Public names that a class of ours defines itself."""
    mro = [base for base in kind.__mro__ if base.__module__.startswith("fuse.")]
    return {name for base in mro for name in vars(base) if not name.startswith("_")}


def numpy_methods() -> str:
    """Methods and attributes of arrays that the lazy array has of its own."""
    return names(_own(ndarray) & _public(np.ndarray))


def numpy_methods_not() -> str:
    """Methods and attributes that evaluate the array."""
    return names(_public(np.ndarray) - _own(ndarray))


PARTS = {
    part.__name__: part
    for part in (
        numpy_ufuncs, numpy_composed, numpy_functions, numpy_creation, numpy_writing, numpy_steps,
        numpy_classes, numpy_forwarded, numpy_linalg, numpy_fft, numpy_random, numpy_generators,
        numpy_methods, numpy_methods_not,
    )
}  # fmt: skip
