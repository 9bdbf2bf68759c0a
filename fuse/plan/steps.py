"""What a plan is made of: steps in order, each of which fills in values of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fuse.ir.node import ConstantArray, Node
from fuse.plan.kernels import Kernel, Map
from fuse.plan.placement import Domain


@dataclass(frozen=True)
class Binding:
    """What a kernel's buffer is at run time.

    value: the array of a node, or (`column` given) a column of it; offsets, data: a part of a text column;
    table: an array known to the plan.
    """

    kind: Literal["value", "offsets", "data", "table"]
    node: Node | None = None
    column: int | None = None
    table: ConstantArray | None = None


@dataclass(frozen=True)
class KernelStep:
    """Run a kernel over a domain. `results` are the nodes it stores, `bindings` its buffers in order.

    cost: operations a row; extra_scratch: bytes of working memory a worker needs for its tables, besides the
    tiles.
    """

    kernel: Kernel
    domain: Domain
    bindings: tuple[Binding, ...]
    results: tuple[Node, ...]
    cost: float
    extra_scratch: int = 0

    @property
    def keeps(self) -> bool:
        """Whether the kernel compacts, and so counts the rows that each unit keeps."""
        return any(isinstance(stage, Map) and stage.compaction is not None for stage in self.kernel.stages)


@dataclass(frozen=True)
class LibraryStep:
    """Evaluate one node with the interpreter: views for free, BLAS, and what has no emitter."""

    node: Node


Step = KernelStep | LibraryStep


@dataclass(frozen=True)
class Plan:
    """Steps that compute `outputs` from `inputs`."""

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    steps: tuple[Step, ...]
