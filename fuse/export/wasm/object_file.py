"""A WebAssembly object file as LLVM writes it: its sections, symbols and relocations.

Source: WebAssembly tool conventions, "Linking". Left out, and refused: static constructors, thread-local
data, imported globals other than the stack pointer. COMDATs do not matter when nothing is merged, debug
information is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fuse.export.wasm.encoding import MAGIC, Reader

CUSTOM, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, CODE, DATA, DATA_COUNT = range(
    13
)
_SEGMENT_INFO, _INIT_FUNCTIONS, _SYMBOL_TABLE = 5, 6, 8
_IS_FUNCTION, _IS_DATA, _IS_GLOBAL, _IS_SECTION, _IS_TAG, _IS_TABLE = range(6)
_UNDEFINED, _EXPLICIT_NAME, _THREAD_LOCAL = 0x10, 0x40, 0x100
_WITH_ADDEND = frozenset({3, 4, 5, 8, 9, 11, 14, 15, 16, 17, 21, 22, 23, 25})

HEAP = "__heap_base"
"""The symbol of the end of the data, which the linker defines."""


class ObjectError(Exception):
    """The object file uses what the linker does not know; the message says what."""


@dataclass(frozen=True)
class Relocation:
    """A field of a section's content to be filled in; `kind` by the numbers of the tool conventions, `symbol`
    the place of a symbol in the object's list.
    """

    kind: int
    offset: int
    symbol: int


@dataclass(frozen=True)
class Segment:
    """Initial bytes of memory, at an offset from the start of the data."""

    offset: int
    content: bytes


@dataclass
class ObjectFile:
    """What linking needs of an object.

    sections: content by number; functions: index of those that the object defines; missing: names that it
    does not; heap: the places of symbols that mean the end of the data; alignment: of the data, in bytes.
    """

    sections: dict[int, bytes] = field(default_factory=dict)
    relocations: dict[int, list[Relocation]] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)
    heap: set[int] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    alignment: int = 16
    has_stack_pointer: bool = False
    has_table: bool = False

    @property
    def table_size(self) -> int:
        """How many places of functions the object fills, the unused ones in front of them included."""
        reader, size = Reader(self.sections.get(ELEMENT, b"\0")), 0
        for _ in range(reader.unsigned()):
            start = _offset(reader)
            count = reader.unsigned()
            size = max(size, start + count)
            for _ in range(count):
                reader.unsigned()
        return size


def read_object(content: bytes) -> ObjectFile:
    """The object in these bytes. ObjectError for what cannot be linked."""
    if content[:8] != MAGIC:
        raise ObjectError("no WebAssembly object")
    found, order = ObjectFile(), []
    custom: list[tuple[str, bytes]] = []
    reader = Reader(content, 8)
    while not reader.at_end:
        number = reader.byte()
        body = reader.bytes(reader.unsigned())
        order.append(number)
        if number == CUSTOM:
            inner = Reader(body)
            custom.append((inner.name(), body[inner.position :]))
        else:
            found.sections[number] = body
    _read_imports(found)
    found.segments = read_segments(found.sections.get(DATA, b"\0"))
    for name, body in custom:
        if name == "linking":
            _read_linking(found, Reader(body))
        elif name in ("reloc.CODE", "reloc.DATA"):
            _read_relocations(found, Reader(body), order)
    return found


def _read_imports(found: ObjectFile) -> None:
    reader = Reader(found.sections.pop(IMPORT, b"\0"))
    for _ in range(reader.unsigned()):
        reader.name()
        name, kind = reader.name(), reader.byte()
        if kind == 0:
            found.missing.append(name)
            reader.unsigned()
        elif kind == 1:
            reader.byte()
            reader.limits()
            found.has_table = True
        elif kind == 2:
            reader.limits()
        elif name == "__stack_pointer":
            found.has_stack_pointer = True
            reader.bytes(2)
        else:
            raise ObjectError(f"it imports the global {name!r}")


def read_segments(content: bytes) -> list[Segment]:
    reader, found = Reader(content), []
    for _ in range(reader.unsigned()):
        offset = _offset(reader)
        found.append(Segment(offset, reader.bytes(reader.unsigned())))
    return found


def _offset(reader: Reader) -> int:
    """Where an active segment begins: `i32.const`, a number, `end`."""
    if reader.unsigned() != 0:
        raise ObjectError("a passive segment")
    if reader.byte() != 0x41:
        raise ObjectError("a segment at a place that is no number")
    offset = reader.signed()
    reader.byte()
    return offset


def _read_linking(found: ObjectFile, reader: Reader) -> None:
    version = reader.unsigned()
    if version != 2:
        raise ObjectError(f"version {version} of the linking section; version 2 is known")
    while not reader.at_end:
        kind = reader.byte()
        body = Reader(reader.bytes(reader.unsigned()))
        if kind == _SEGMENT_INFO:
            for _ in range(body.unsigned()):
                body.name()
                found.alignment = max(found.alignment, 1 << body.unsigned())
                if body.unsigned() & 2:
                    raise ObjectError("thread-local data")
        elif kind == _INIT_FUNCTIONS and body.unsigned():
            raise ObjectError("static constructors")
        elif kind == _SYMBOL_TABLE:
            for place in range(body.unsigned()):
                _read_symbol(found, body, place)


def _read_symbol(found: ObjectFile, reader: Reader, place: int) -> None:
    kind, flags = reader.byte(), reader.unsigned()
    if kind == _IS_SECTION:
        reader.unsigned()
    elif kind == _IS_DATA:
        name = reader.name()
        if not flags & _UNDEFINED:
            for _ in ("segment", "offset", "size"):
                reader.unsigned()
        elif name == HEAP:
            found.heap.add(place)
        else:
            found.missing.append(name)
    else:
        index = reader.unsigned()
        if not flags & _UNDEFINED or flags & _EXPLICIT_NAME:
            name = reader.name()
            if kind == _IS_FUNCTION and not flags & _UNDEFINED:
                found.functions[name] = index


def _read_relocations(found: ObjectFile, reader: Reader, order: list[int]) -> None:
    target = found.relocations.setdefault(order[reader.unsigned()], [])
    for _ in range(reader.unsigned()):
        kind, offset, symbol = reader.byte(), reader.unsigned(), reader.unsigned()
        if kind in _WITH_ADDEND:
            reader.signed()
        target.append(Relocation(kind, offset, symbol))
