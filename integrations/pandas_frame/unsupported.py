"""How a recorder says that it leaves a call to pandas."""

from __future__ import annotations


class Unsupported(Exception):
    """This call is not recorded; pandas runs it. `reason` goes into the report."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Unsupported):
    """pandas will probably raise: it is asked on frames without rows first, where that costs nothing."""
