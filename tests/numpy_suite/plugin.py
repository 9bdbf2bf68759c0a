"""What runs inside pytest: the rewriting, a limit of time per test, and one line per outcome.

Loaded by `-p tests.numpy_suite.plugin` in a process of its own. `NUMPY_SUITE_WORLD` is `numpy` or `fuse`;
`NUMPY_SUITE_OUTCOMES` is the file that gets the lines, written as they come, so that a process that dies
leaves what it had.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

SECONDS = 20
"""Of processor time, that a test may take."""

AT_ONCE = ("test_ufunc_at_inner_loops",)
"""Tests that set thousands of items one by one: here small arrays go to NumPy at once, as users have it."""


def pytest_configure(config: pytest.Config) -> None:
    """NumPy's tests expect its markers and warnings as errors only where they ask for them."""
    if os.environ["NUMPY_SUITE_WORLD"] == "fuse":
        from fuse import set_config
        from tests.numpy_suite import rewriting

        set_config(min_rows=0, raise_internal=True, num_threads=1)
        rewriting.install()


def _too_long(*_: Any) -> None:
    raise TimeoutError(f"longer than {SECONDS} s")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test that takes too long fails."""
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with _settings(item.name):
            return (yield)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _settings(test: str) -> AbstractContextManager[Any]:
    if os.environ["NUMPY_SUITE_WORLD"] == "fuse" and test.startswith(AT_ONCE):
        from fuse.config import Config, config

        return config(min_rows=Config.min_rows)
    return nullcontext()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests on the record, of a process that died, are not run again."""
    record = Path(os.environ["NUMPY_SUITE_OUTCOMES"])
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    done = {json.loads(line)["test"] for line in lines}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in done])
    items[:] = [item for item in items if item.nodeid not in done]


def pytest_runtest_logstart(nodeid: str) -> None:
    """The last test that started is the one a crash belongs to."""
    _write({"test": nodeid, "outcome": "started"})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """Each phase with what it raised and where."""
    report = yield
    if report.when == "call" or report.outcome != "passed":
        _write(
            {
                "test": item.nodeid,
                "outcome": "expected failure" if hasattr(report, "wasxfail") else report.outcome,
                **(_cause(call) if report.outcome == "failed" else {}),
            }
        )
    return report


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A module that cannot be imported is one failure."""
    if report.failed:
        _write({"test": report.nodeid, "outcome": "failed", "error": str(report.longrepr)[-400:]})


def _cause(call: pytest.CallInfo[None]) -> dict[str, str]:
    assert call.excinfo is not None
    error = call.excinfo.value
    entries = [entry for entry in call.excinfo.traceback if "_pytest" not in str(entry.path)]
    place = entries[-1] if entries else None
    where = f"{Path(str(place.path)).name}:{place.name}" if place is not None else ""
    test = next((f"{e.lineno + 1}: {e.statement}" for e in entries if "/tests/test_" in str(e.path)), "")
    return {"error": f"{type(error).__name__}: {error}"[:600], "where": where, "line": test}


def _write(line: dict[str, str]) -> None:
    with open(os.environ["NUMPY_SUITE_OUTCOMES"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
