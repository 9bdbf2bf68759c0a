"""A program's plan as an `Explanation`: what each kernel reads, computes and writes, and what runs beside
kernels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fuse.engine import Program
from fuse.explain import Explanation, Intermediate, Kernel, LibraryStep, Line, Load
from fuse.ir.node import Node
from fuse.ir.text import dim_text, type_text
from fuse.plan.classify import VIEWS, forget, is_tiny, operands, role_of
from fuse.plan.kernels import ArgReduce, CompareText, Dot, Forest, LoadMatrix, Map, Stage
from fuse.plan.steps import KernelStep, Plan, UpdateStep


def describe(program: Program) -> Explanation:
    """What became of the graph of a program."""
    try:
        return _described(program)
    finally:
        forget()


def _described(program: Program) -> Explanation:
    names = _Names(program.plan)
    kernels = [step for step in program.plan.steps if isinstance(step, KernelStep)]
    notes = (*map(str, program.notes), *_shared_passes(kernels))
    return Explanation(
        kernels=tuple(_kernel(number, step, names) for number, step in enumerate(kernels, 1)),
        library_steps=tuple(_library_steps(program.plan)),
        intermediates=tuple(_intermediates(program.plan, names)),
        notes=notes,
    )


def _shared_passes(kernels: Iterable[KernelStep]) -> Iterable[str]:
    """Kernels that several models share, each of which would pass over the rows alone in its library."""
    for number, step in enumerate(kernels, 1):
        models = sum(isinstance(stage, Forest | Dot) for stage in step.kernel.stages)
        if models > 1:
            yield f"{models} models and matrix products share the pass over the rows of kernel {number}"


class _Names:
    """Short names of nodes: `input 0`, `out 1`, or the op."""

    def __init__(self, plan: Plan) -> None:
        self.names = {node: f"input {number}" for number, node in enumerate(plan.inputs)}
        for number, node in enumerate(plan.outputs):
            self.names.setdefault(node, f"output {number}")

    def __getitem__(self, node: Node) -> str:
        return self.names.get(node, node.op)

    def type(self, node: Node) -> str:
        return type_text(node.type, {})


def _kernel(number: int, step: KernelStep, names: _Names) -> Kernel:
    body = _body(step)
    return Kernel(
        number,
        " × ".join(dim_text(dim, {}) for dim in step.domain.shape)
        + (" filtered" if step.domain.mask else ""),
        tuple(f"{names[node]}: {names.type(node)}" for node in step.results),
        len(body),
        tuple(_stage(stage) for stage in step.kernel.stages),
        tuple(_loads(step, names)),
        _lines(body),
    )


def _body(step: KernelStep) -> list[Node]:
    """The nodes between what the kernel reads and what it writes."""
    read = {binding.node for binding in step.bindings} - set(step.results)
    found: dict[Node, None] = {}
    pending = list(step.results)
    while pending:
        node = pending.pop()
        if node not in found and node not in read and node.op not in ("input", "constant"):
            found[node] = None
            pending.extend(operands(node))
    return sorted(found, key=lambda node: node.id)


def _lines(body: Iterable[Node]) -> tuple[Line, ...]:
    ops: dict[str, list[str]] = {}
    for node in body:
        ops.setdefault(str(node.location or "made by fuse"), []).append(node.op)
    return tuple(Line(place, tuple(names)) for place, names in ops.items())


def _loads(step: KernelStep, names: _Names) -> Iterable[Load]:
    for binding, buffer in zip(step.bindings, step.kernel.buffers, strict=True):
        if buffer.role == "load" and binding.node is not None:
            yield Load(names[binding.node], str(buffer.dtype), float(buffer.dtype.itemsize))


def _stage(stage: Stage) -> str:
    where = "rows" if stage.track == "base" else "kept rows"
    match stage:
        case Map():
            sinks = [
                f"{len(stage.tiles)} to tiles" if stage.tiles else "",
                f"{len(stage.stores)} stored" if stage.stores else "",
                f"{len(stage.reductions)} reduced" if stage.reductions else "",
                f"filter of {len(stage.compaction.columns)} columns" if stage.compaction else "",
            ]
            return (
                f"vector loop over {where}: {len(stage.body)} instructions, {', '.join(filter(None, sinks))}"
            )
        case LoadMatrix():
            return f"{stage.columns} columns of a matrix to tiles"
        case Forest():
            return f"trees over {where}, {stage.outputs} outputs"
        case CompareText():
            return f"text column {stage.relation} a constant"
        case ArgReduce():
            return f"{stage.kind} over {where}, {len(stage.body)} instructions for each column"
        case Dot():
            return f"matrix product over {where}, {stage.inner} × {stage.outputs}"


def _library_steps(plan: Plan) -> Iterable[LibraryStep]:
    """What passes over an array outside kernels; a few numbers from a few numbers are not worth a line."""
    for step in plan.steps:
        if isinstance(step, KernelStep) or step.node.op in VIEWS:
            continue
        reason = "no loop of fuse computes it; NumPy does"
        if isinstance(step, UpdateStep):
            reason = "what is written is there already; NumPy copies it"
        if not all(map(is_tiny, (step.node, *step.node.inputs))):
            yield LibraryStep(f"numpy {step.node.op}", reason, str(step.node.location or ""))


def _intermediates(plan: Plan, names: _Names) -> Iterable[Intermediate]:
    """Arrays that one step writes and another reads; views and single values are not counted."""
    for step in plan.steps:
        results: Sequence[Node] = step.results if isinstance(step, KernelStep) else (step.node,)
        placed = {update.node.inputs[1] for update in step.updates} if isinstance(step, KernelStep) else set()
        for node in results:
            is_view = node.op in VIEWS and role_of(node) == "step"
            if node not in plan.outputs and not is_view and not is_tiny(node) and node not in placed:
                yield Intermediate(names[node], names.type(node), "another step reads it")
