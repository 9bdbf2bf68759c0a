"""The user's functions with `numpy` and `pandas` exchanged for fuse's, for one recording.

A function is rebuilt over the same code with other globals: a copy of its module's, in which the names that
the code reads are exchanged when they are the libraries, what was imported from them, or functions of the
user, which are rebuilt in turn. One copy serves all functions of a module, so that they see each other's
assignments; `assigned` tells which names were assigned, for the caller to bring back. Closure cells are
shared unless their content has to be exchanged. `import numpy` inside a function gives fuse's too.

Left out: functions of installed packages and methods of the user's classes. Lazy objects are duck arrays, so
what those call records by itself. The user's modules, code and functions are never touched, so threads do not
disturb each other.
"""

from __future__ import annotations

import builtins
import dis
import importlib
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache, partial
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from fuse.integrations.capture.location import is_users
from fuse.integrations.jit.surroundings import Surroundings

ACTIVE: ContextVar[Substitution | None] = ContextVar("fuse_substitution", default=None)
"""The substitution of the recording that runs, for jitted functions that are reached inside it."""

FACES = {"numpy": "fuse.numpy", "pandas": "fuse.pandas"}
_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_WRITES = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL"})
_MISSING: Any = object()


class Substitution:
    """Gives each value its stand-in while a function is recorded; values without one are given back as they
    are.
    """

    MISSING = _MISSING

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._memo: dict[int, tuple[Any, Any]] = {}
        self._modules: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
        self._assigned: set[tuple[int, str]] = set()

    def __call__(self, value: Any) -> Any:
        """The stand-in of a module, function or class; anything else itself."""
        if not _may_be_exchanged(value):
            return value
        known = self._memo.get(id(value))
        return known[1] if known is not None else self._remember(value, self._exchange(value))

    def assigned(self) -> Iterator[tuple[dict[str, Any], str, Any]]:
        """(the module's real globals, name, new value) of each global that was assigned or deleted."""
        for identity, name in sorted(self._assigned):
            real, copy = self._modules[identity]
            value = copy.get(name, _MISSING)
            if value is not real.get(name, _MISSING) and value is not self(real.get(name, _MISSING)):
                yield real, name, value

    def depends_on(self, value: Any) -> None:
        """Note that the recording read the state of an object."""
        self._surroundings.state(value)

    def functions(self) -> list[FunctionType]:
        """The functions of the user that were rebuilt."""
        return [value for value, _ in self._memo.values() if isinstance(value, FunctionType)]

    def _remember(self, value: Any, result: Any) -> Any:
        self._memo[id(value)] = (value, result)
        return result

    def _exchange(self, value: Any) -> Any:
        if isinstance(value, ModuleType):
            return _face(value) or (_ModuleView(value, self) if is_users(_file_of(value)) else value)
        if isinstance(value, partial):
            return partial(self(value.func), *value.args, **value.keywords)
        if isinstance(value, MethodType):
            return MethodType(self(value.__func__), value.__self__)
        if hasattr(type(value), "__fuse_inline__"):
            return self(value.py_func)
        if isinstance(value, FunctionType) and is_users(value.__code__.co_filename):
            return self._rebuild(value)
        return _of_face(value)

    def _rebuild(self, function: FunctionType) -> FunctionType:
        real = function.__globals__
        cells = tuple(map(self._cell, function.__closure__ or ()))
        copy = self._globals(real)
        rebuilt = FunctionType(function.__code__, copy, function.__name__, None, cells or None)
        self._remember(function, rebuilt)
        rebuilt.__defaults__ = tuple(map(self, function.__defaults__)) if function.__defaults__ else None
        rebuilt.__kwdefaults__ = {
            name: self(v) for name, v in (function.__kwdefaults__ or {}).items()
        } or None
        rebuilt.__qualname__, rebuilt.__module__ = function.__qualname__, function.__module__
        rebuilt.__dict__.update(function.__dict__)
        self._surroundings.code(function)
        self._fill(function.__closure__ or (), cells)
        self._prepare(function.__code__, real, copy)
        return rebuilt

    def _globals(self, real: dict[str, Any]) -> dict[str, Any]:
        found = self._modules.get(id(real))
        if found is None:
            found = self._modules[id(real)] = (real, dict(real))
            found[1]["__builtins__"] = self._builtins(real)
        return found[1]

    def _builtins(self, real: dict[str, Any]) -> dict[str, Any]:
        found = real.get("__builtins__", builtins)
        names = dict(vars(found) if isinstance(found, ModuleType) else found)
        original = names["__import__"]
        names["__import__"] = lambda *args, **kwargs: self(original(*args, **kwargs))
        return names

    def _prepare(self, code: CodeType, real: dict[str, Any], copy: dict[str, Any]) -> None:
        """Exchange the globals that this code reads, and note which it may assign."""
        reads, writes = global_names(code)
        self._assigned.update((id(real), name) for name in writes)
        for name in reads:
            if name in real:
                self._surroundings.name(real, name)
                if copy.get(name) is real[name]:
                    copy[name] = self(real[name])

    def _cell(self, cell: CellType) -> CellType:
        try:
            content = cell.cell_contents
        except ValueError:
            return cell
        return CellType() if _may_be_exchanged(content) else cell

    def _fill(self, originals: tuple[CellType, ...], cells: tuple[CellType, ...]) -> None:
        for original, cell in zip(originals, cells, strict=True):
            self._surroundings.cell(original)
            if cell is not original:
                cell.cell_contents = self(original.cell_contents)


class _ModuleView(ModuleType):
    """A module of the user, whose functions are rebuilt when they are asked for."""

    def __init__(self, module: ModuleType, substitution: Substitution) -> None:
        super().__init__(module.__name__)
        self.__dict__["_fuse_view"] = (module, substitution)

    def __getattribute__(self, name: str) -> Any:
        if name in ("__class__", "__dict__"):
            return ModuleType.__getattribute__(self, name)
        module, substitution = ModuleType.__getattribute__(self, "__dict__")["_fuse_view"]
        value = getattr(module, name)
        if vars(module).get(name, _MISSING) is value:
            substitution._surroundings.name(vars(module), name)
        return substitution(value)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(ModuleType.__getattribute__(self, "__dict__")["_fuse_view"][0], name, value)


@cache
def global_names(code: CodeType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The global names that this code and the code nested in it read, and those that it assigns."""
    reads, writes = _plain_reads(code), dict[str, None]()
    if reads is None:
        reads, writes = _disassembled(code)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = global_names(constant)
            reads.update(dict.fromkeys(inner[0]))
            writes.update(dict.fromkeys(inner[1]))
    return tuple(reads), tuple(writes)


def _disassembled(code: CodeType) -> tuple[dict[str, None], dict[str, None]]:
    """The same of this code alone, by the standard library's word."""
    reads: dict[str, None] = {}
    writes: dict[str, None] = {}
    for instruction in dis.get_instructions(code):
        if instruction.opname in _READS:
            reads[instruction.argval] = None
        elif instruction.opname in _WRITES:
            writes[instruction.argval] = None
    return reads, writes


def _plain_reads(code: CodeType) -> dict[str, None] | None:
    """The globals that code reads which reads them by LOAD_GLOBAL alone and assigns none, as functions do.

    Several times faster than disassembling. None for other code, long code, and a Python not known here.
    """
    if not _KNOWN_CODE:
        return None
    content = code.co_code
    opcodes = content[::2]
    if any(opcode in opcodes for opcode in _UNUSUAL):
        return None
    reads: dict[str, None] = {}
    place = opcodes.find(_LOAD_GLOBAL)
    while place >= 0:
        reads[code.co_names[content[2 * place + 1] >> 1]] = None  # the lowest bit says: for a call
        place = opcodes.find(_LOAD_GLOBAL, place + 1)
    return reads


_KNOWN_CODE = (3, 11) <= sys.version_info[:2] <= (3, 13)
"""Instructions of two bytes, caches of zeros behind them, LOAD_GLOBAL with the name's number above a bit."""
_LOAD_GLOBAL = dis.opmap["LOAD_GLOBAL"]
_UNUSUAL = bytes(
    dis.opmap[name] for name in (*_READS, *_WRITES, "EXTENDED_ARG")
    if name in dis.opmap and name != "LOAD_GLOBAL"
)  # fmt: skip


def _may_be_exchanged(value: Any) -> bool:
    """Quick and generous: data never is."""
    return isinstance(value, ModuleType | partial | type) or (callable(value) and hasattr(value, "__name__"))


def _face(module: ModuleType) -> ModuleType | None:
    """Fuse's module of the same name: `numpy` and `pandas`, and their submodules where fuse has them."""
    top, _, rest = module.__name__.partition(".")
    if top not in FACES:
        return None
    found: Any = importlib.import_module(FACES[top])
    for part in filter(None, rest.split(".")):
        found = getattr(found, part, None)
    return found if isinstance(found, ModuleType) else None


def _of_face(value: Any) -> Any:
    """Fuse's object for one that was imported from a library by name: `from numpy import exp`."""
    name = getattr(value, "__name__", "")
    for top, face in FACES.items():
        library = sys.modules.get(top)
        if library is not None and name and vars(library).get(name, _MISSING) is value:
            return getattr(importlib.import_module(face), name, value)
    return value


def _file_of(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or "<frozen"
