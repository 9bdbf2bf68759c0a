"""Runs of pytest over one test module of NumPy, each in a process of its own, and what came out.

A process that dies is started again, and leaves out the tests that are on the record; the one it died in has
crashed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]
_OPTIONS = ("-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:benchmark")
_RESTARTS = 5
_MINUTES = 20


@dataclass(frozen=True)
class Outcome:
    """What became of one test; of a failure what was raised, in which function, at which line of the test."""

    test: str
    outcome: str
    error: str = ""
    where: str = ""
    line: str = ""


def run(
    path: Path, world: str, tests: Sequence[str] = (), *, minutes: float = _MINUTES
) -> dict[str, Outcome]:
    """The outcomes of a module, by the test's name; of the given tests only, if there are any."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "outcomes"
        settings = Path(folder) / "pytest.ini"
        settings.write_text("[pytest]\n")
        found: dict[str, Outcome] = {}
        for _ in range(_RESTARTS):
            chosen = [f"{path}::{test}" for test in tests if test not in found] or [str(path)]
            ended = _pytest(
                ["-c", str(settings), f"--rootdir={path.parent}", *chosen], world, record, minutes
            )
            found = read(record)
            if ended:
                break
        return found


def _pytest(arguments: Iterable[str], world: str, record: Path, minutes: float) -> bool:
    """Whether pytest came to its end."""
    environment = {
        **os.environ,
        "NUMPY_SUITE_WORLD": world,
        "NUMPY_SUITE_OUTCOMES": str(record),
        "PYTHONPATH": str(_REPOSITORY),
        "PYTHONHASHSEED": "0",
    }
    command = [sys.executable, "-m", "pytest", "-p", "tests.numpy_suite.plugin", *_OPTIONS, "-m", "not slow"]
    try:
        ended = subprocess.run(
            [*command, *arguments],
            env=environment,
            cwd=record.parent,
            capture_output=True,
            timeout=minutes * 60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    return ended.returncode in (0, 1, 2, 5)


def read(record: Path) -> dict[str, Outcome]:
    """The lines of a record; a test that only started has crashed."""
    found: dict[str, Outcome] = {}
    for text in record.read_text(encoding="utf-8").splitlines() if record.exists() else ():
        line = json.loads(text)
        line["test"] = line["test"].partition("::")[2] or line["test"]
        if line["outcome"] == "started":
            line.update(outcome="failed", error="the process ended")
        found[line["test"]] = Outcome(**line)
    return found
