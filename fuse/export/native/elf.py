"""The names that an ELF object leaves to others.

Source: System V ABI, "Object Files". Objects of other forms are taken as whole.
"""

from __future__ import annotations

import struct

_SYMBOLS = 2
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")


def undefined_symbols(content: bytes) -> set[str]:
    """The symbols without a definition."""
    if content[:6] != b"\x7fELF\x02\x01":
        return set()
    (start,) = struct.unpack_from("<Q", content, 40)
    size, count = struct.unpack_from("<HH", content, 58)
    sections = [_SECTION.unpack_from(content, start + size * number) for number in range(count)]
    found: set[str] = set()
    for section in sections:
        _, kind, _, _, offset, length, link, *_ = section
        if kind == _SYMBOLS:
            names = sections[link][4]
            for place in range(offset, offset + length, _SYMBOL.size):
                name, _, _, owner, _, _ = _SYMBOL.unpack_from(content, place)
                if owner == 0 and name:
                    end = content.index(b"\0", names + name)
                    found.add(content[names + name : end].decode())
    return found
