"""What a plan is made of: steps in order, each of which fills in values of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fuse.ir.node import ConstantArray, Node
from fuse.plan.kernels import Kernel, Map, to_text
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
class Update:
    """The `update_slice` that `node` is, done in the memory of its base or in new memory that the rest of the
    base is copied to.
    """

    node: Node
    in_place: bool


@dataclass(frozen=True)
class KernelStep:
    """Run a kernel over a domain. `results` are the nodes it stores, `bindings` its buffers in order.

    cost: operations a row; extra_scratch: bytes of working memory a worker needs for its tables, besides the
    tiles; updates: those whose new elements are results of this kernel, and go straight to their place.
    """

    kernel: Kernel
    domain: Domain
    bindings: tuple[Binding, ...]
    results: tuple[Node, ...]
    cost: float
    extra_scratch: int = 0
    updates: tuple[Update, ...] = ()

    @property
    def keeps(self) -> bool:
        """Whether the kernel compacts, and so counts the rows that each unit keeps."""
        return any(isinstance(stage, Map) and stage.compaction is not None for stage in self.kernel.stages)


@dataclass(frozen=True)
class LibraryStep:
    """Evaluate one node with the interpreter: views for free, BLAS, and what has no emitter."""

    node: Node


@dataclass(frozen=True)
class UpdateStep:
    """Write elements that are there already to a part of an array."""

    update: Update

    @property
    def node(self) -> Node:
        return self.update.node


Step = KernelStep | LibraryStep | UpdateStep


@dataclass(frozen=True)
class Plan:
    """Steps that compute `outputs` from `inputs`."""

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    steps: tuple[Step, ...]


def step_text(step: Step) -> str:
    """A step as lines, for `FUSE_DUMP=kernels`."""
    if isinstance(step, KernelStep):
        return "\n".join([to_text(step.kernel), *map(_update_text, step.updates)])
    return _update_text(step.update) if isinstance(step, UpdateStep) else repr(step.node)


def _update_text(update: Update) -> str:
    base, values = update.node.inputs
    where = "in the memory of" if update.in_place else "in a copy of the rest of"
    return f"{update.node!r}: {values!r} stands {where} {base!r}"
