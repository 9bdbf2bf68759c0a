"""Peak memory of one call, in a process of its own.

`python -m bench.memory name` is the child: it warms a case up on few rows, so that code and plan are there,
makes the arguments, and prints how far the process's memory rose during the call above what it held before,
the arguments included, with the bytes of arguments and results. The kernel's high-water mark is reset before
the call where Linux allows it; elsewhere the mark since the start counts.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.processes import ROOT

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Peak:
    """Bytes: of the arguments, of the results, and by how much memory rose during the call."""

    arguments: int
    results: int
    rise: int

    @property
    def extra(self) -> int:
        """Beyond what must be there: the results."""
        return self.rise - self.results

    @property
    def ratio(self) -> float:
        """All memory at the peak, in terms of arguments and results."""
        return (self.arguments + self.rise) / (self.arguments + self.results)


@dataclass(frozen=True)
class MemoryCase:
    """A function and its arguments, of full size and of a small one."""

    function: Callable[..., Any]
    arguments: Callable[[bool], Arrays]


def peak(name: str) -> Peak:
    """The case of this name in a new process, one thread."""
    command = [sys.executable, "-m", "bench.memory", name]
    environment = os.environ | {"FUSE_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return Peak(**json.loads(done.stdout))


def rise(call: Callable[[], Any]) -> tuple[Any, int]:
    """The result of a call, and the bytes by which memory rose at most while it ran."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before = _status("VmRSS") or _highest()
    result = call()
    return result, (_status("VmHWM") or _highest()) - before


def _status(name: str) -> int:
    """A line of this process's status in bytes; 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)


def _highest() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measure(case: MemoryCase) -> Peak:
    """In this process."""
    few = case.arguments(True)
    for _ in range(2):
        case.function(*few)
    arguments = case.arguments(False)
    for array in arguments:
        array.sum()  # every page is there
    result, risen = rise(lambda: case.function(*arguments))
    results = result if isinstance(result, tuple) else (result,)
    return Peak(sum(a.nbytes for a in arguments), sum(r.nbytes for r in results), risen)


def main(name: str) -> None:
    """Print the peak of a case as JSON."""
    from bench.workloads.memory import CASES

    print(json.dumps(asdict(measure(CASES[name]))))


if __name__ == "__main__":
    main(sys.argv[1])
