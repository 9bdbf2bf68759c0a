"""`python -m bench run [names] [--quick] [--threads 1,2] [--json out]`: the workloads, timed, as one table.

`python -m bench list` names them. A missed bar or a failed workload is a row like the others, never a failed
command: the machine may be busy. `--timer processor` counts processor time, which other work disturbs less.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_benchmark.timers import default_timer
from rich.console import Console

from bench.case import Row, fact
from bench.rounds import Settings
from bench.table import save, show
from bench.workloads import NAMES, load

TIMERS = {"wall": default_timer, "processor": time.process_time}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "list":
        print(*(f"{name:18}{load(name).__doc__.splitlines()[0]}" for name in NAMES), sep="\n")
        return 0
    rows = run(chosen.names or NAMES, Settings(chosen.quick, chosen.threads, TIMERS[chosen.timer]))
    show(rows)
    if chosen.json is not None:
        save(rows, chosen.json)
    return 0


def run(names: Sequence[str], settings: Settings) -> list[Row]:
    """The rows of these workloads, in order."""
    rows: list[Row] = []
    progress = Console(stderr=True)
    for name in names:
        with progress.status(f"{name} …"):
            rows += _rows(name, settings)
    return rows


def _rows(name: str, settings: Settings) -> Iterator[Row]:
    """The rows of a workload; a failure is its last row, so that the others still run."""
    try:
        yield from load(name).rows(settings)
    except Exception as error:  # noqa: BLE001  # whatever failed, a row says so
        traceback.print_exc()
        yield fact(
            name,
            "failed",
            0,
            f"{type(error).__name__}",
            str(error).splitlines()[0] if str(error) else "",
            False,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="fuse beside the libraries it replaces"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name the workloads")
    run = commands.add_parser("run", help="time the workloads and print one table")
    run.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="name", help=f"of {', '.join(NAMES)}")
    run.add_argument("--quick", action="store_true", help="fewer rounds: under three minutes for all")
    run.add_argument("--threads", type=_counts, default=(1, 2), metavar="1,2", help="numbers of threads")
    run.add_argument(
        "--timer", choices=TIMERS, default="wall", help="processor: on a machine with other work"
    )
    run.add_argument("--json", type=Path, metavar="file", help="also write the rows to a file")
    return parser


def _counts(text: str) -> tuple[int, ...]:
    counts = tuple(int(part) for part in text.split(","))
    if min(counts) < 1:
        raise argparse.ArgumentTypeError(f"threads are counted from 1, got {text}")
    return counts


if __name__ == "__main__":
    sys.exit(main())
