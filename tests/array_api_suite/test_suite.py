"""The Array API test suite with few examples; with more: `python -m tests.array_api_suite`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.array_api_suite.running import hindrance, read, regressions, run

EXAMPLES = 3


@pytest.fixture(scope="module")
def plain() -> dict[str, str]:
    why = hindrance()
    if why is not None:
        pytest.skip(why)
    return run("numpy", examples=EXAMPLES)


@pytest.mark.processes
@pytest.mark.parametrize("world", ["fuse", "recorded"])
def test_passes_what_numpy_passes(
    world: str, plain: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sum(not error for error in plain.values()) > 1000, "NumPy itself passes little"
    monkeypatch.setenv("FUSE_CACHE_DIR", str(tmp_path))
    assert regressions(plain, run(world, examples=EXAMPLES)) == {}


def test_outcomes_are_read(tmp_path: Path) -> None:
    record = tmp_path / "outcomes.xml"
    record.write_text(
        '<testsuites><testsuite><testcase classname="a" name="good"/>'
        '<testcase classname="a" name="wrong"><failure message="assert 1 == 2">…</failure></testcase>'
        '<testcase classname="a" name="left_out"><skipped message="…"/></testcase></testsuite></testsuites>'
    )
    assert read(record) == {"a::good": "", "a::wrong": "assert 1 == 2"}


def test_a_regression_is_what_numpy_passes() -> None:
    plain = {"one": "", "two": "", "three": "wrong", "four": ""}
    found = {"one": "", "two": "differs", "three": "wrong"}
    assert regressions(plain, found) == {"two": "differs", "four": "it did not run"}
