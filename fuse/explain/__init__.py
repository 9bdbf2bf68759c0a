"""What became of a pipeline, as plain data and as text: kernels, what lies between them, what was not
compiled.

The engine fills an `Explanation` for one program, the front ends add the library steps and join the programs
of a function. This file knows neither; it holds the facts and prints them, as a tree or as an HTML page
without external resources (see `fuse.explain.html`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.tree import Tree


@dataclass(frozen=True)
class Load:
    """An array that a kernel reads: its name, its dtype, and the bytes that one row of it has."""

    name: str
    dtype: str
    bytes_per_row: float


@dataclass(frozen=True)
class Line:
    """The ops that one line of the user's code became, in the order of the graph."""

    location: str
    ops: tuple[str, ...]


@dataclass(frozen=True)
class Kernel:
    """One loop over the data.

    domain: the axes it runs over, such as `n` or `count(%4)`. outputs: what it writes, one text each.
    nodes: how many nodes of the graph it computes. stages: what each inner loop does.
    """

    number: int
    domain: str
    outputs: tuple[str, ...] = ()
    nodes: int = 0
    stages: tuple[str, ...] = ()
    loads: tuple[Load, ...] = ()
    lines: tuple[Line, ...] = ()

    @property
    def bytes_per_row(self) -> float:
        """What the kernel reads for one row."""
        return sum(load.bytes_per_row for load in self.loads)


@dataclass(frozen=True)
class LibraryStep:
    """A step that is not compiled: what runs instead, why, and at which line of the user."""

    call: str
    reason: str
    location: str = ""


@dataclass(frozen=True)
class Intermediate:
    """An array that one step writes for another to read."""

    name: str
    type: str
    because: str = ""


@dataclass(frozen=True)
class Timings:
    """Seconds of one analysed call."""

    compile: float = 0.0
    convert: float = 0.0
    run: float = 0.0

    def __add__(self, other: Timings) -> Timings:
        return Timings(self.compile + other.compile, self.convert + other.convert, self.run + other.run)

    @property
    def rows(self) -> tuple[tuple[str, float], ...]:
        """The names and seconds of the table."""
        return ("compile", self.compile), ("convert", self.convert), ("run", self.run)


@dataclass(frozen=True)
class Explanation:
    """Kernels, library steps, materialised intermediates, notes of the optimizer and, when analysed, timings.

    guards: values that Python looked at, on which the recorded path depends. `a + b` joins two explanations
    and numbers the kernels through. `str()` gives the tree, `to_html` a page.
    """

    title: str = ""
    kernels: tuple[Kernel, ...] = ()
    library_steps: tuple[LibraryStep, ...] = ()
    intermediates: tuple[Intermediate, ...] = ()
    guards: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    timings: Timings | None = field(default=None, compare=False)

    def __add__(self, other: Explanation) -> Explanation:
        first = len(self.kernels)
        times = [timings for timings in (self.timings, other.timings) if timings is not None]
        return Explanation(
            title=self.title or other.title,
            kernels=self.kernels
            + tuple(replace(k, number=first + i) for i, k in enumerate(other.kernels, 1)),
            library_steps=self.library_steps + other.library_steps,
            intermediates=self.intermediates + other.intermediates,
            guards=self.guards + other.guards,
            notes=tuple(dict.fromkeys(self.notes + other.notes)),
            timings=sum(times[1:], times[0]) if times else None,
        )

    def __str__(self) -> str:
        return _render(tree(self))

    def _repr_html_(self) -> str:
        from fuse.explain.html import fragment

        return fragment(self)

    def to_html(self, path: str | Path) -> Path:
        """Write a page of its own (no scripts, no external resources) and give back its path."""
        from fuse.explain.html import page

        target = Path(path)
        target.write_text(page(self), "utf-8")
        return target

    def summary(self) -> str:
        """The first line: how much was fused into how little.

        >>> Explanation(kernels=(Kernel(1, "n", nodes=7),)).summary()
        '1 kernel of 7 operations, nothing materialised between, every step compiled'
        """
        operations = sum(kernel.nodes for kernel in self.kernels)
        between = f"{_plural(len(self.intermediates), 'array')} materialised between"
        outside = f"{_plural(len(self.library_steps), 'step')} not compiled"
        parts = (
            f"{_plural(len(self.kernels), 'kernel')} of {_plural(operations, 'operation')}",
            between if self.intermediates else "nothing materialised between",
            outside if self.library_steps else "every step compiled",
        )
        return ", ".join(parts)


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def milliseconds(seconds: float) -> str:
    """
    >>> milliseconds(0.01234)
    '12.34 ms'
    """
    return f"{seconds * 1e3:.2f} ms"


def tree(found: Explanation) -> Tree:
    """The explanation as a tree of lines."""
    from rich.text import Text
    from rich.tree import Tree

    root = Tree(Text(f"{found.title}: {found.summary()}" if found.title else found.summary()))
    for kernel in found.kernels:
        _add_kernel(root, kernel)
    steps = tuple(
        f"{s.call}{f' at {s.location}' if s.location else ''}: {s.reason}" for s in found.library_steps
    )
    between = tuple(
        f"{i.name}: {i.type}{f' ({i.because})' if i.because else ''}" for i in found.intermediates
    )
    _add_list(root, "not compiled", steps)
    _add_list(root, "materialised between", between)
    _add_list(root, "holds while", found.guards)
    _add_list(root, "optimizer", found.notes)
    if found.timings is not None:
        _add_list(
            root, "time", tuple(f"{name:<8}{milliseconds(value)}" for name, value in found.timings.rows)
        )
    return root


def _add_kernel(root: Tree, kernel: Kernel) -> None:
    from rich.text import Text

    branch = root.add(
        Text(f"kernel {kernel.number} over {kernel.domain}: {_plural(kernel.nodes, 'operation')}")
    )
    for line in kernel.lines:
        branch.add(Text(f"{line.location}: {', '.join(line.ops)}"))
    loads = tuple(f"{load.name}: {load.dtype}, {load.bytes_per_row:g} B a row" for load in kernel.loads)
    _add_list(branch, f"reads {kernel.bytes_per_row:g} B a row", loads)
    _add_list(branch, "stages", kernel.stages)
    _add_list(branch, "writes", kernel.outputs)


def _add_list(parent: Tree, title: str, items: tuple[str, ...]) -> None:
    from rich.text import Text

    if items:
        branch = parent.add(Text(title))
        for item in items:
            branch.add(Text(item))


def _render(root: Tree) -> str:
    """Without colours and at any width, so that it reads the same in a log."""
    from rich.console import Console

    console = Console(width=400, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(root, soft_wrap=True, highlight=False)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().splitlines())
