"""Runs the examples with and without fuse, and shows what became of them.

The real rows answer whether the results are the same; many rows show the time. Both sides use all
processors. Cold is the first call of a process with an empty cache: recording, compiling, running. Warm
is the median of the calls after.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.table import Table

import fuse
from bench.equality import describe
from examples import breast_cancer, digits, photograph
from fuse.explain import Explanation

EXAMPLES = (breast_cancer, digits, photograph)
OUTPUT = Path(__file__).parent / "output"
WARM_CALLS = 5


@dataclass(frozen=True)
class Outcome:
    """What one example gave. Times are seconds on `rows` rows."""

    name: str
    title: str
    real_rows: int
    on_real_rows: str
    rows: int
    on_many_rows: str
    plan: Explanation
    page: Path
    plain: float
    cold: float
    warm: float


def outcome(example: ModuleType, count: int, folder: Path = OUTPUT) -> Outcome:
    """Run one example on its real rows and on about `count` rows; write its plan into the folder."""
    name = example.__name__.rpartition(".")[2]
    run = example.build()
    real, many = example.rows(), example.many_rows(count)
    plain, expected = _timed(lambda: run.py_func(many))
    cold, actual = _timed(lambda: run(many))
    warm = median(_timed(lambda: run(many))[0] for _ in range(WARM_CALLS))
    with fuse.config(min_rows=0):
        on_real_rows = describe(run.py_func(real), run(real))
    plan = run.explain(many)
    folder.mkdir(parents=True, exist_ok=True)
    page = plan.to_html(folder / f"{name}.html")
    title = example.__doc__.splitlines()[0] if example.__doc__ else name
    return Outcome(
        name,
        title,
        len(real),
        on_real_rows,
        len(many),
        describe(expected, actual),
        plan,
        page,
        plain,
        cold,
        warm,
    )


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def table(found: Iterable[Outcome]) -> Table:
    """One column an example: results, plan, times."""
    outcomes = list(found)
    shown = Table(title="The same functions without and with @fuse.jit", show_lines=True)
    shown.add_column("")
    for each in outcomes:
        shown.add_column(each.name, overflow="fold")
    for title, cell in _LINES:
        shown.add_row(title, *map(cell, outcomes))
    return shown


_LINES: tuple[tuple[str, Callable[[Outcome], str]], ...] = (
    ("real rows", lambda o: f"{o.real_rows:,}: {o.on_real_rows}"),
    ("many rows", lambda o: f"{o.rows:,}: {o.on_many_rows}"),
    (
        "kernels",
        lambda o: f"{len(o.plan.kernels)}, of {sum(kernel.nodes for kernel in o.plan.kernels)} operations",
    ),
    ("materialised between", lambda o: f"{len(o.plan.intermediates)} arrays"),
    ("not compiled", lambda o: f"{len(o.plan.library_steps)} steps"),
    ("without fuse", lambda o: f"{o.plain * 1e3:,.0f} ms"),
    ("with fuse, cold", lambda o: f"{o.cold * 1e3:,.0f} ms"),
    ("with fuse, warm", lambda o: f"{o.warm * 1e3:,.0f} ms, {o.plain / o.warm:.1f} times as fast"),
)


def main() -> None:
    """Run all examples, print the table, say where the plans are."""
    console = Console()
    outcomes = []
    with tempfile.TemporaryDirectory() as empty, fuse.config(cache_dir=empty):
        for example in EXAMPLES:
            with console.status(f"{example.__name__} …"):
                outcomes.append(outcome(example, example.MANY))
    for each in outcomes:
        console.print(f"[bold]{each.name}[/bold]  {each.title}", highlight=False)
    console.print(table(outcomes))
    for each in outcomes:
        console.print(f"plan of {each.name}: {each.page}", highlight=False, soft_wrap=True)
