"""Quotas of control groups, read from folders made for the test."""

from pathlib import Path

import pytest

from fuse.runtime import cpus


def groups(folder: Path, membership: str, files: dict[str, str]) -> float | None:
    """The quota that a tree of control groups gives."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "membership").write_text(membership)
    return cpus.cgroup_quota(folder / "membership", folder)


@pytest.mark.parametrize(
    ("membership", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {}, None),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "200000 100000"}, 2.0),
        ("0::/a/b\n", {"a/b/cpu.max": "100000 100000", "a/cpu.max": "400000 100000"}, 1.0),
        ("0::/host/path\n", {"cpu.max": "300000 100000"}, 3.0),
        ("0::/../other\n", {"cpu.max": "300000 100000"}, 3.0),
        ("0::/\n", {"cpu.max": "nonsense"}, None),
        ("0::/\n", {"cpu.max": "1 0"}, None),
        (
            "4:cpu,cpuacct:/docker/x\n1:name=systemd:/\n0::/\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "250000\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"},
            2.5,
        ),
        (
            "4:cpu,cpuacct:/x\n",
            {"cpu/x/cpu.cfs_quota_us": "50000", "cpu/x/cpu.cfs_period_us": "100000"},
            0.5,
        ),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("4:cpuset:/\n", {"cpuset/cpu.cfs_quota_us": "1", "cpuset/cpu.cfs_period_us": "1"}, None),
        ("", {"cpu.max": "100000 100000"}, None),
        ("broken line\n", {}, None),
    ],
)
def test_quota(tmp_path: Path, membership: str, files: dict[str, str], quota: float | None) -> None:
    assert groups(tmp_path, membership, files) == quota


def test_no_control_groups(tmp_path: Path) -> None:
    assert cpus.cgroup_quota(tmp_path / "missing", tmp_path) is None


@pytest.mark.parametrize(
    ("affinity", "quota", "threads"), [(8, None, 8), (8, 1.5, 2), (8, 0.2, 1), (2, 64.0, 2)]
)
def test_available_threads(
    monkeypatch: pytest.MonkeyPatch, affinity: int, quota: float | None, threads: int
) -> None:
    monkeypatch.setattr(cpus, "_affinity", lambda: affinity)
    monkeypatch.setattr(cpus, "cgroup_quota", lambda: quota)
    assert cpus.available_threads.__wrapped__() == threads


def test_this_machine() -> None:
    assert cpus.available_threads() >= 1
