"""What is kept on disk belongs to the sources that made it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fuse.runtime import sources


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "plan" / "__pycache__").mkdir(parents=True)
    (tmp_path / "plan" / "planner.py").write_text("planned = 1")
    (tmp_path / "config.py").write_text("")
    monkeypatch.setattr(sources, "_PACKAGE", tmp_path)
    monkeypatch.setattr(sources, "_PARTS", ("config.py", "plan"))
    monkeypatch.setattr(sources, "_LOADED", sources._LOADED + 10**15)
    monkeypatch.setattr(sources, "state", sources.state.__wrapped__)
    return tmp_path


def test_equal_sources_give_equal_names(package: Path) -> None:
    before = sources.key("a", "b")
    (package / "plan" / "__pycache__" / "planner.pyc").write_bytes(b"1")
    assert sources.key("a", "b") == before != sources.key("a", "c")


@pytest.mark.parametrize("change", ["time", "size", "another"])
def test_a_changed_source_changes_every_name(package: Path, change: str) -> None:
    before, file = sources.key("a"), package / "plan" / "planner.py"
    if change == "time":
        os.utime(file, (1, 1))
    elif change == "size":
        file.write_text("planned = 12")
    else:
        (package / "plan" / "another.py").write_text("")
    assert sources.key("a") != before


def test_sources_newer_than_the_process_name_what_is_its_own(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_LOADED", 0)
    assert sources.key("a") == sources.key("a")
    assert str(os.getpid()) in sources.state()
