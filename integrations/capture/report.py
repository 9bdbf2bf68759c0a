"""The record of what was not compiled: what, why, and at which line of the user.

A front end calls `fallback` before it runs a step in the original library. Under `fuse.config(strict=True)`
that raises instead.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import dataclass, field

from fuse import config
from fuse.errors import StrictModeError
from fuse.integrations.capture.location import user_location
from fuse.integrations.capture.recording import current_recording
from fuse.ir.node import Location

_log = logging.getLogger("fuse")


@dataclass(frozen=True)
class Fallback:
    """One kind of step that ran in the original library."""

    call: str
    reason: str
    location: Location | None

    def __str__(self) -> str:
        place = f" at {self.location}" if self.location else ""
        return f"{self.call} ran in the library{place}: {self.reason}"


@dataclass
class Report:
    """Fallbacks with how often each happened, and counts of the compiler's own work."""

    fallbacks: Counter[Fallback] = field(default_factory=Counter)

    def __str__(self) -> str:
        if not self.fallbacks:
            return "every step was compiled"
        return "\n".join(f"{count:>6} × {fallback}" for fallback, count in self.fallbacks.most_common())

    def clear(self) -> None:
        """Forget everything counted so far."""
        self.fallbacks.clear()


_report = Report()
_lock = threading.Lock()


def report() -> Report:
    """What ran in the original libraries since the start, with reasons, lines and counts."""
    return _report


def fallback(call: str, reason: str) -> Fallback:
    """Note that `call` (such as `numpy.sort`) runs in its library because of `reason`.

    Raises StrictModeError in strict mode.
    """
    found = Fallback(call, reason, user_location(call.split(".")[0]))
    if config.current().strict:
        raise StrictModeError(f"{found}; fuse.config(strict=True) forbids it")
    running = current_recording()
    if running is not None:
        running.fallbacks.append(found)
    with _lock:
        _report.fallbacks[found] += 1
        if _report.fallbacks[found] == 1:
            _log.info("%s", found)
    return found
