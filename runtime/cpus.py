"""How many processors this process may use: its affinity mask, capped by the quota of its control groups.

`os.cpu_count()` is the machine's number; in a container with a quota of two processors on a host of 96 it
makes a pool that is throttled most of the time. Both versions of Linux control groups are read; elsewhere
there is no quota.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path


@functools.cache
def available_threads() -> int:
    """Processors that this process may keep busy, at least 1; a quota of 1.5 counts as 2."""
    quota = cgroup_quota()
    usable = _affinity()
    return usable if quota is None else max(1, min(usable, math.ceil(quota)))


def cgroup_quota(
    membership: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> float | None:
    """Processors' worth of time that the process' control groups allow; None without a limit.

    A group's parents limit it too, so the smallest quota on the way up counts. Inside a container the path
    of the membership file may not exist below `root`; the root's own files then hold the container's limit.
    See cgroups(7), and Documentation/admin-guide/cgroup-v2.rst of Linux for `cpu.max`.
    """
    try:
        lines = membership.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    quotas = [quota for line in lines for quota in _quotas(line, root)]
    return min(quotas, default=None)


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(line: str, root: Path) -> Iterator[float]:
    """The quotas along one line `hierarchy:controllers:path` of the membership file."""
    _, controllers, path = (*line.split(":", 2), "", "")[:3]
    if controllers == "":
        yield from _along(root, path, _quota_v2)
    elif "cpu" in controllers.split(","):
        for mount in {controllers, "cpu"}:
            yield from _along(root / mount, path, _quota_v1)


def _along(mount: Path, path: str, read: Callable[[Path], float | None]) -> Iterator[float]:
    """What `read` finds in the folder of a group and in those of its parents, up to the mount point."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        try:
            quota = read(mount.joinpath(*parts[:depth]))
        except (OSError, ValueError, ZeroDivisionError):
            continue
        if quota is not None:
            yield quota


def _quota_v2(group: Path) -> float | None:
    """`cpu.max` holds `quota period` in microseconds, or `max period`."""
    quota, period = (group / "cpu.max").read_text().split()
    return None if quota == "max" else int(quota) / int(period)


def _quota_v1(group: Path) -> float | None:
    """A quota of -1 means none."""
    quota = int((group / "cpu.cfs_quota_us").read_text())
    return quota / int((group / "cpu.cfs_period_us").read_text()) if quota > 0 else None
