"""`import fuse` is cheap and loads no library that the user did not ask for."""

import json
import subprocess
import sys

import pytest

HEAVY = ("pandas", "sklearn", "lightgbm", "llvmlite", "scipy", "pyarrow", "dask", "joblib")

PROGRAM = f"""
import json, sys, time, numpy
start = time.process_time()
import fuse
seconds = time.process_time() - start
print(json.dumps([seconds, [name for name in {HEAVY!r} if name in sys.modules]]))
"""


def import_fuse() -> tuple[float, list[str]]:
    """CPU seconds of `import fuse` after NumPy, and the heavy libraries it loaded, in a fresh process."""
    command = [sys.executable, "-c", PROGRAM]
    seconds, loaded = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return seconds, loaded


@pytest.mark.processes
def test_import_is_cheap_and_light() -> None:
    """CPU time, not wall time, and the best of a few: other work on the machine only ever adds."""
    import_fuse()  # writes the bytecode
    runs = [import_fuse() for _ in range(5)]
    assert [loaded for _, loaded in runs] == [[]] * len(runs)
    assert min(seconds for seconds, _ in runs) < 0.1
