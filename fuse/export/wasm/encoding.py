"""The binary format's numbers, names and sections, read and written.

Source: WebAssembly Core Specification, "Binary Format".
"""

from __future__ import annotations

from collections.abc import Iterable

MAGIC = b"\0asm\1\0\0\0"


class Reader:
    """Reads forward through bytes. IndexError at their end."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data, self.position = data, position

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.data)

    def byte(self) -> int:
        found = self.data[self.position]
        self.position += 1
        return found

    def unsigned(self) -> int:
        """A LEB128 number."""
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result

    def signed(self) -> int:
        """A signed LEB128 number."""
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result - (1 << shift) if byte & 0x40 else result

    def bytes(self, count: int) -> bytes:
        found = self.data[self.position : self.position + count]
        self.position += count
        return found

    def name(self) -> str:
        return self.bytes(self.unsigned()).decode()

    def limits(self) -> tuple[int, int | None]:
        """The smallest and the largest size of a memory or table."""
        flags = self.unsigned()
        smallest = self.unsigned()
        return smallest, self.unsigned() if flags & 1 else None


def unsigned(value: int) -> bytes:
    """LEB128."""
    found = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        found.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(found)


def signed(value: int) -> bytes:
    """Signed LEB128."""
    found = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
            found.append(byte)
            return bytes(found)
        found.append(byte | 0x80)


def padded(value: int) -> bytes:
    """LEB128 in five bytes, as relocations leave room for."""
    return bytes([(value >> 7 * place) & 0x7F | 0x80 for place in range(4)] + [(value >> 28) & 0x0F])


def padded_signed(value: int) -> bytes:
    """Signed LEB128 of an int32 in five bytes."""
    return bytes([(value >> 7 * place) & 0x7F | 0x80 for place in range(4)] + [(value >> 28) & 0x7F])


def named(text: str) -> bytes:
    """A name."""
    content = text.encode()
    return unsigned(len(content)) + content


def listed(items: Iterable[bytes]) -> bytes:
    """A vector of items."""
    found = list(items)
    return unsigned(len(found)) + b"".join(found)


def section(number: int, content: bytes) -> bytes:
    """A section; nothing for one without content."""
    return bytes([number]) + unsigned(len(content)) + content if content else b""
