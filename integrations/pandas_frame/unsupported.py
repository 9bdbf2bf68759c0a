"""How a recorder says that it leaves a call to pandas, and how data decides a dtype."""

from __future__ import annotations

from fuse.integrations.capture.recording import current_recording
from fuse.integrations.capture.values import values
from fuse.ir.node import Node


class Unsupported(Exception):
    """This call is not recorded; pandas runs it. `reason` goes into the report."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Unsupported):
    """pandas will probably raise: it is asked on frames without rows first, where that costs nothing."""


def decide(node: Node) -> bool:
    """The truth of a 0-d bool now. In a recording the plan holds only while the answer stays the same."""
    answer = bool(values([node])[0])
    recording = current_recording()
    if recording is not None:
        recording.guard(node, answer)
    return answer
