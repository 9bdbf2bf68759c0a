"""Control flow as Python blocks: what is emitted inside a `with` stands inside the loop or the branch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llvmlite import ir

from fuse.codegen.dtypes import I64, word


@contextmanager
def counted_loop(
    b: ir.IRBuilder, start: ir.Value, stop: ir.Value, step: int = 1, name: str = "i"
) -> Iterator[ir.Value]:
    """`for i in range(start, stop, step)` over int64; the value is i."""
    head, body, done = (b.append_basic_block(f"{name}.{part}") for part in ("head", "body", "done"))
    before = b.block
    b.branch(head)
    b.position_at_end(head)
    index = b.phi(I64, name)
    index.add_incoming(start, before)
    b.cbranch(b.icmp_signed("<", index, stop), body, done)
    b.position_at_end(body)
    yield index
    index.add_incoming(b.add(index, word(step)), b.block)
    b.branch(head)
    b.position_at_end(done)


@contextmanager
def when(b: ir.IRBuilder, condition: ir.Value, name: str = "when") -> Iterator[None]:
    """`if condition:`"""
    inside, after = b.append_basic_block(name), b.append_basic_block(f"{name}.done")
    b.cbranch(condition, inside, after)
    b.position_at_end(inside)
    yield
    b.branch(after)
    b.position_at_end(after)


def minimum(b: ir.IRBuilder, left: ir.Value, right: ir.Value) -> ir.Value:
    """The smaller of two int64."""
    return b.select(b.icmp_signed("<", left, right), left, right)
