"""The tables of a pipeline as constants of its module, each once however many steps read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from llvmlite import ir

from fuse.codegen.dtypes import I8, POINTER
from fuse.ir.node import ConstantArray

_ALIGN = 64


@dataclass
class Tables:
    """The constants of one module, by the bytes that they hold."""

    module: ir.Module
    found: dict[bytes, ir.GlobalVariable] = field(default_factory=dict)

    def __getitem__(self, table: ConstantArray) -> ir.GlobalVariable:
        """The constant of a table."""
        return self.of(table.array.tobytes())

    def of(self, content: bytes) -> ir.GlobalVariable:
        """The constant of these bytes."""
        if content not in self.found:
            self.found[content] = self._add(content)
        return self.found[content]

    def _add(self, content: bytes) -> ir.GlobalVariable:
        constant = ir.Constant(ir.ArrayType(I8, max(len(content), 1)), bytearray(content or b"\0"))
        made = ir.GlobalVariable(self.module, constant.type, f"table.{len(self.found)}")
        made.linkage, made.global_constant, made.initializer = "internal", True, constant
        made.align, made.type = _ALIGN, POINTER  # llvmlite types it by its content; all pointers are opaque
        return made
