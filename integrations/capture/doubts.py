"""The second look at calls that NumPy might have warned about, and what is told of them."""

from __future__ import annotations

from collections.abc import Sequence

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.values import is_known, values_apart
from fuse.integrations.capture.watching import Watched, checks_of, met, modes_now, prefixed, tell, watch
from fuse.ir.node import Node


def report(watched: Watched) -> None:
    """Look at calls whose values were computed, and warn of what they met."""
    checks = checks_of(watched)
    if checks:
        holds = values_apart([check.condition for check in checks])
        for check in met(checks, holds):
            if check.message not in check.watch.told:
                check.watch.told.add(check.message)
                tell(check)


def watch_nodes(
    name: str | None, results: Sequence[Node], operands: Sequence[Node], mask: Node | None = None
) -> None:
    """Watch a call that was recorded; if the same was computed before, for another call, look at it now.

    name: the word that NumPy's message has for it; None: its steps have their own.
    """
    recording = current_recording()
    if recording is not None:
        recording.watchable = True
    modes = modes_now()
    if modes is None:
        return
    found = watch(prefixed(name), results, operands, modes, mask)
    if found is not None and recording is None and any(map(is_known, results)):
        report({found: results})
