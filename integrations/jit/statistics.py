"""What became of the calls of a jitted function, counted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass
class Statistics:
    """plain: calls that ran the plain function. recorded: runs on stand-ins. replayed: calls that a plan
    served.

    reasons: why recordings could not be kept, with how often.
    """

    plain: int = 0
    recorded: int = 0
    replayed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def note(self, reason: str) -> None:
        """Count a reason."""
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def snapshot(self) -> Statistics:
        """The counts as they are now."""
        return replace(self, reasons=dict(self.reasons))
