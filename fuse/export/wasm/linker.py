"""One object in, one module out: what is left of linking when all code comes from one LLVM module.

Function, type, table and global indices of the object are final, because nothing is merged; places in memory
move by where the data start. The imports of memory, stack pointer and table become definitions.

    memory:  0 … stack (grows down, so an overflow traps) … data … __heap_base … free
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fuse.export.wasm.encoding import MAGIC, listed, named, padded, padded_signed, section, signed, unsigned
from fuse.export.wasm.object_file import (
    CODE,
    DATA,
    DATA_COUNT,
    ELEMENT,
    EXPORT,
    FUNCTION,
    GLOBAL,
    HEAP,
    MEMORY,
    TABLE,
    TYPE,
    ObjectError,
    ObjectFile,
    Segment,
    read_object,
    read_segments,
)

PAGE = 65536
STACK = 1 << 16
"""Bytes of the stack."""
_GAP = 8
"""Zeros between two segments that cost less than a segment's own head."""
_I32, _CONST, _END, _MUTABLE = 0x7F, 0x41, 0x0B, 1
_FUNCTIONS = b"\x70"
"""The type of a table of functions."""


class LinkError(Exception):
    """A module cannot be made; `missing` are the functions that nothing defines."""

    def __init__(self, message: str, missing: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.missing = tuple(missing)


def link(content: bytes, exports: Sequence[str], stack: int = STACK) -> bytes:
    """The module of an object, with memory (`memory`), `__heap_base` and these functions exported.

    Raises LinkError when something is missing: a module of ours imports nothing.
    """
    try:
        found = read_object(content)
        return _linked(found, exports, stack)
    except ObjectError as error:
        raise LinkError(f"the object cannot be linked: {error}") from error


def _linked(found: ObjectFile, exports: Sequence[str], stack: int) -> bytes:
    missing = [*found.missing, *(name for name in exports if name not in found.functions)]
    if missing:
        raise LinkError(f"nothing defines {', '.join(missing)}", missing)
    base = -(-stack // found.alignment) * found.alignment
    end = max((s.offset + len(s.content) for s in found.segments), default=0)
    heap = -(-(base + end) // 64) * 64
    code = _relocated(found, CODE, base, heap)
    moved = read_segments(_relocated(found, DATA, base, heap) or b"\0")
    dense = merged([Segment(base + s.offset, s.content) for s in moved])
    globals_ = [_global(stack, _MUTABLE)] if found.has_stack_pointer else []
    globals_.append(_global(heap, 0))
    parts = {
        TYPE: found.sections.get(TYPE, b""),
        FUNCTION: found.sections.get(FUNCTION, b""),
        TABLE: listed([_FUNCTIONS + b"\0" + unsigned(found.table_size)]) if found.has_table else b"",
        MEMORY: listed([b"\0" + unsigned(-(-heap // PAGE))]),
        GLOBAL: listed(globals_),
        EXPORT: listed(_exports(found, exports, len(globals_) - 1)),
        ELEMENT: found.sections.get(ELEMENT, b""),
        DATA_COUNT: unsigned(len(dense)) if DATA_COUNT in found.sections else b"",
        CODE: code,
        DATA: listed(_segment(s) for s in dense) if dense else b"",
    }
    return MAGIC + b"".join(section(number, body) for number, body in parts.items())


def _global(value: int, mutable: int) -> bytes:
    return bytes([_I32, mutable, _CONST]) + signed(value) + bytes([_END])


def _exports(found: ObjectFile, names: Sequence[str], heap: int) -> list[bytes]:
    fixed = [named("memory") + b"\2\0", named(HEAP) + b"\3" + unsigned(heap)]
    return fixed + [named(name) + b"\0" + unsigned(found.functions[name]) for name in names]


def _segment(segment: Segment) -> bytes:
    head = bytes([0, _CONST]) + signed(segment.offset) + bytes([_END])
    return head + unsigned(len(segment.content)) + segment.content


def merged(segments: Sequence[Segment]) -> list[Segment]:
    """The same memory in few segments: zeros are what memory holds anyway."""
    found: list[Segment] = []
    for segment in sorted(segments, key=lambda s: s.offset):
        content = segment.content.rstrip(b"\0")
        start = len(content) - len(content.lstrip(b"\0"))
        content, offset = content[start:], segment.offset + start
        if not content:
            continue
        if found:
            last = found[-1]
            gap = offset - last.offset - len(last.content)
            if gap <= _GAP:
                found[-1] = Segment(last.offset, last.content + bytes(gap) + content)
                continue
        found.append(Segment(offset, content))
    return found


# Relocations

_UNCHANGED = frozenset({0, 1, 2, 6, 7, 20})
"""Function, table and type indices, which nothing moves."""


def _padded_unsigned(content: bytearray, offset: int, base: int) -> None:
    value = sum((content[offset + place] & 0x7F) << 7 * place for place in range(5))
    content[offset : offset + 5] = padded((value + base) & 0xFFFFFFFF)


def _padded_signed(content: bytearray, offset: int, base: int) -> None:
    value = sum((content[offset + place] & 0x7F) << 7 * place for place in range(5)) & 0xFFFFFFFF
    value = (value + base) & 0xFFFFFFFF
    content[offset : offset + 5] = padded_signed(value - (1 << 32) if value >> 31 else value)


def _four_bytes(content: bytearray, offset: int, base: int) -> None:
    value = int.from_bytes(content[offset : offset + 4], "little") + base
    content[offset : offset + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")


_MOVES: Mapping[int, Callable[[bytearray, int, int], None]] = {
    3: _padded_unsigned, 4: _padded_signed, 5: _four_bytes,
}  # fmt: skip
"""R_WASM_MEMORY_ADDR_LEB, _SLEB and _I32."""


def _relocated(found: ObjectFile, number: int, base: int, heap: int) -> bytes:
    content = bytearray(found.sections.get(number, b""))
    for relocation in found.relocations.get(number, ()):
        if relocation.kind in _MOVES:
            distance = heap if relocation.symbol in found.heap else base
            _MOVES[relocation.kind](content, relocation.offset, distance)
        elif relocation.kind not in _UNCHANGED:
            raise LinkError(f"the object has a relocation of type {relocation.kind}, which is not known")
    return bytes(content)
