"""Runs of the Array API test suite, each in a process of its own, and what came out."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

CHECKOUT = "ARRAY_API_TESTS_CHECKOUT"
REQUIRED = ("hypothesis", "ndindex", "pytest_jsonreport")

WORLDS: Mapping[str, Mapping[str, str]] = {
    "numpy": {"ARRAY_API_TESTS_MODULE": "numpy"},
    "fuse": {"ARRAY_API_TESTS_MODULE": "fuse.numpy", "FUSE_RAISE_INTERNAL": "1"},
    "recorded": {"ARRAY_API_TESTS_MODULE": "fuse.numpy", "FUSE_RAISE_INTERNAL": "1", "FUSE_MIN_ROWS": "0"},
}
"""NumPy; fuse as users have it, small arrays at once; fuse with every step in the graph."""

_REPOSITORY = Path(__file__).parents[2]
_OPTIONS = ("-q", "--tb=short", "-p", "no:cacheprovider", "--disable-deadline", "--derandomize")


def hindrance() -> str | None:
    """Why the suite cannot run here."""
    checkout = os.environ.get(CHECKOUT)
    if checkout is None:
        return f"{CHECKOUT} does not name a checkout of data-apis/array-api-tests"
    if not (Path(checkout) / "array_api_tests").is_dir():
        return f"{CHECKOUT}={checkout} is no checkout of data-apis/array-api-tests"
    missing = [name for name in REQUIRED if importlib.util.find_spec(name) is None]
    return f"the suite requires {', '.join(missing)}" if missing else None


def run(world: str, *, examples: int, parts: Iterable[str] = ()) -> dict[str, str]:
    """The error of each test, empty for those that pass; skipped ones are left out.

    The examples are the same in every run. RuntimeError with pytest's output if the suite did not run.
    """
    checkout = Path(os.environ[CHECKOUT])
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "outcomes.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            *_OPTIONS,
            f"--junitxml={record}",
            f"--max-examples={examples}",
        ]
        ended = subprocess.run(
            [*command, *(f"array_api_tests/{part}" for part in parts or ("",))],
            env={**os.environ, **WORLDS[world], "PYTHONPATH": str(_REPOSITORY)},
            cwd=checkout,
            capture_output=True,
            text=True,
            check=False,
        )
        if not record.exists():
            raise RuntimeError(f"{ended.stdout}\n{ended.stderr}")
        return read(record)


def read(record: Path) -> dict[str, str]:
    """The outcomes in a JUnit file."""
    found = {}
    for case in ET.parse(record).iter("testcase"):
        wrong = [entry.get("message", "") for kind in ("failure", "error") for entry in case.iter(kind)]
        if case.find("skipped") is None:
            found[f"{case.get('classname')}::{case.get('name')}"] = (wrong[0] or "failed") if wrong else ""
    return found


def regressions(plain: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """What fails among the tests that pass with NumPy, with the error."""
    passing = (test for test, error in plain.items() if not error)
    return {test: found.get(test, "it did not run") for test in passing if found.get(test, "it did not run")}
