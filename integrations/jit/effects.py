"""What a recorded function did besides returning: assigned globals and closures, changed objects and lists.

All of it is brought to the user's program with real objects in the place of lazy ones, and taints the
recording: a replay would not do it again.
"""

from __future__ import annotations

import contextlib
from typing import Any

from fuse.integrations.capture.recording import PresumptionFailed, Recording
from fuse.integrations.capture.values import values
from fuse.integrations.jit.impure import impurity
from fuse.integrations.jit.plan import own
from fuse.integrations.jit.results import Template, holds_lazy
from fuse.integrations.jit.stand_ins import StandIns
from fuse.integrations.jit.substitute import Substitution
from fuse.integrations.jit.surroundings import Surroundings


def bring_back(
    run: Recording, stand_ins: StandIns, substitution: Substitution, surroundings: Surroundings
) -> None:
    """Make the effects of a run those of the plain function.

    Raises PresumptionFailed, before any, when the run presumed something: no plan will check it.
    """
    reason = impurity(substitution.functions())
    surroundings.streams.are_steps = run.draws
    if reason is None and surroundings.streams.drawn():
        reason = "it draws from a generator of random numbers, which gives others at every call"
    if reason:
        run.taint(reason)
    effects = _Effects(run, stand_ins)
    if run.presumed and (run.tainted or effects.are_there(substitution, surroundings)):
        raise PresumptionFailed("no plan will check what was presumed")
    effects.on_globals(substitution)
    effects.on_surroundings(surroundings)
    effects.on_arguments()


class _Effects:
    """The effects of one run."""

    def __init__(self, run: Recording, stand_ins: StandIns) -> None:
        self.run = run
        self.stand_ins = stand_ins

    def are_there(self, substitution: Substitution, surroundings: Surroundings) -> bool:
        """Whether the function did anything besides returning and writing to arrays and tables."""
        changed = (_identities(copy) != _identities(before) for _, copy, before in self.stand_ins.containers)
        outside = [*substitution.assigned(), *surroundings.changed_cells(), *surroundings.changed()]
        return bool(outside) or any(changed)

    def on_globals(self, substitution: Substitution) -> None:
        for real, name, value in list(substitution.assigned()):
            self.run.taint(f"it assigns the global {name!r}")
            if value is substitution.MISSING:
                real.pop(name, None)
            else:
                real[name] = self.real(value)

    def on_surroundings(self, surroundings: Surroundings) -> None:
        for cell in surroundings.changed_cells():
            self.run.taint("it assigns a variable of the enclosing function")
            with contextlib.suppress(ValueError):
                cell.cell_contents = self.real(cell.cell_contents)
        for container in surroundings.changed():
            self.run.taint("it changes an object outside itself")
            if isinstance(container, dict):
                container.update({key: self.real(value) for key, value in container.items()})
            elif isinstance(container, list):
                container[:] = map(self.real, container)

    def on_arguments(self) -> None:
        """Lists and dicts that the function changed; arrays and tables are the plan's business."""
        for original, copy, before in self.stand_ins.containers:
            if _identities(copy) == _identities(before):
                continue
            self.run.taint("it changes a list or dict that it was given")
            if isinstance(original, dict):
                items = {key: self.real(value) for key, value in copy.items()}
                original.clear()
                original.update(items)
            else:
                original[:] = list(map(self.real, copy))

    def real(self, value: Any) -> Any:
        """A lazy object, or a container of them, as real objects; the stand-in of an argument as the
        argument.
        """
        if not holds_lazy(value):
            return value
        template = Template(value, self.stand_ins.positions, self.run)
        return template.make([own(array) for array in values(template.nodes)], self.stand_ins.carried)


def _identities(container: Any) -> list[int]:
    if isinstance(container, dict):
        return [*map(id, container), *map(id, container.values())]
    return list(map(id, container))
