"""Recording a function: stand-ins in, one run of the user's code, a trace and this call's result out.

`Signature` is what all recordings of one signature share: the input nodes of the arguments, and the plans.
"""

from __future__ import annotations

import contextlib
import dis
import sys
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fuse.integrations.capture.doubts import report
from fuse.integrations.capture.location import is_users
from fuse.integrations.capture.recording import (
    PresumptionFailed,
    Recording,
    SharedWrite,
    SizeGuard,
    SymbolicMismatch,
    inside,
    recording,
)
from fuse.integrations.capture.values import known, values
from fuse.integrations.capture.watching import error_state
from fuse.integrations.jit.effects import bring_back
from fuse.integrations.jit.plan import Linker, Plan, Trace, apart, borrowed, own
from fuse.integrations.jit.results import Template
from fuse.integrations.jit.signature import Call, symbolic_shapes
from fuse.integrations.jit.stand_ins import StandIns
from fuse.integrations.jit.substitute import ACTIVE, Substitution
from fuse.integrations.jit.surroundings import Surroundings
from fuse.integrations.jit.writeback import WriteBack
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.types import Shape

Array = Any
MOST_PLANS = 8


class SignatureKey(NamedTuple):
    """What plans are kept under: the arguments' key, their shapes, as a pattern or as they are, and NumPy's
    error state.
    """

    arguments: Hashable
    shapes: Hashable
    is_static: bool
    errors: tuple[str, ...] | None


@dataclass
class Signature:
    """The input nodes of one signature and its plans, the latest used first. `pins` keep identities valid."""

    key: SignatureKey
    nodes: tuple[Node, ...]
    pins: tuple[Any, ...] = ()
    plans: list[Plan] = field(default_factory=list)
    linker: Linker = field(default_factory=Linker)
    apart: bool = False

    @classmethod
    def of(cls, call: Call, key: SignatureKey) -> Signature:
        """A new signature for a call, with symbolic or static lengths."""
        static: list[Shape] = [tuple(array.shape) for array in call.arrays]
        arrays = zip(call.arrays, static if key.is_static else symbolic_shapes(call.arrays), strict=True)
        return cls(
            key, tuple(build.new_input(array.dtype, shape) for array, shape in arrays), tuple(call.pins)
        )

    def add(self, trace: Trace) -> Plan:
        """Link a trace; from the second on, with programs apart, and the first again that way."""
        if self.plans and not self.apart:
            self.apart = True
            self.plans[:] = [self.linker.link(plan.trace, True) for plan in self.plans]
        plan = self.linker.link(trace, self.apart)
        self.plans[:] = [plan, *self.plans[: MOST_PLANS - 1]]
        return plan


@dataclass
class Recorded:
    """A trace, the recording it came from, and the function's result on stand-ins."""

    trace: Trace
    recording: Recording
    carried: list[Any]
    result: Any

    @property
    def looked_at_a_length(self) -> bool:
        """Whether Python did, in a recording that may become a plan. Any other had its effects already, and
        must not run again.
        """
        events = () if self.trace.tainted else self.trace.events
        return any(isinstance(event, SizeGuard) for event in events)

    def finish(self) -> Any:
        """The result of a recording that has no plan."""
        wanted = self.trace.wanted()
        with inside(self.recording):
            shared = {n for n, node in enumerate(wanted) if known(node) is not None} | set(
                borrowed(wanted, len(self.trace.template.nodes))
            )
            arrays = values(wanted)
            if self.recording.doubtful:
                report(self.recording.watched)
        given = [self.recording.bindings[node] for node in self.trace.inputs]
        owned = [own(array) if n in shared else apart(array, given) for n, array in enumerate(arrays)]
        return deliver(self.trace, owned, self.carried)


def deliver(trace: Trace, arrays: list[Array], carried: list[Any]) -> Any:
    """Make the result, then write back; nothing fails in between."""
    count = len(trace.template.nodes)
    result = trace.template.make(arrays[:count], carried)
    for write in trace.writes:
        stop = count + len(write.template.nodes)
        write.apply(arrays[count:stop], carried)
        count = stop
    return result


def record(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
    call: Call,
    signature: Signature,
    presumes: bool,
) -> Recorded:
    """Run the function on stand-ins. Its exceptions go through, but for those of a recording that presumed:
    they may come from a wrong presumption. SymbolicMismatch asks for static lengths.
    """
    surroundings = Surroundings()
    for pin in call.pins:
        surroundings.state(pin)
    substitution = Substitution(surroundings)
    token = ACTIVE.set(substitution)
    try:
        with recording(presumes) as run, _doubting(run), _estimators():
            for array, node in zip(call.arrays, signature.nodes, strict=True):
                run.argument(array, node)
            stand_ins = StandIns(call, signature.nodes)
            try:
                result = substitution(function)(
                    *map(stand_ins.of, arguments),
                    **{name: stand_ins.of(value) for name, value in keywords.items()},
                )
            except Exception as error:
                if is_users_own(error) and not run.presumed:
                    _bring_back_all(run, stand_ins, substitution, surroundings)
                raise
            template = Template(result, stand_ins.positions, run)
            writes = tuple(stand_ins.writes(run))
            run.close()
            bring_back(run, stand_ins, substitution, surroundings)
            trace = _trace(run, signature, template, writes, surroundings)
            return Recorded(trace, run, stand_ins.carried, result)
    except BaseException as error:
        if not (isinstance(error, Exception) and is_users_own(error)):  # the function runs again
            surroundings.undo()
        raise
    finally:
        ACTIVE.reset(token)


def _bring_back_all(
    run: Recording, stand_ins: StandIns, substitution: Substitution, surroundings: Surroundings
) -> None:
    """What a function did before it raised stays done."""
    writes = list(stand_ins.writes(run))
    arrays = [own(array) for array in values([node for write in writes for node in write.template.nodes])]
    bring_back(run, stand_ins, substitution, surroundings)
    for write in writes:
        count = len(write.template.nodes)
        write.apply(arrays[:count], stand_ins.carried)
        del arrays[:count]


def is_users_own(error: Exception) -> bool:
    """Whether a `raise` or `assert` of the user's raised it, so that the plain function would do the same."""
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    raised = dis.opname[code.co_code[trace.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")
    return raised and is_users(code.co_filename)


@contextlib.contextmanager
def _doubting(run: Recording) -> Iterator[None]:
    """Turn what fails after a presumption into PresumptionFailed."""
    try:
        yield
    except (SymbolicMismatch, SharedWrite):
        raise
    except Exception as error:
        if not run.presumed:
            raise
        raise PresumptionFailed from error


def _trace(
    run: Recording,
    signature: Signature,
    template: Template,
    writes: tuple[WriteBack, ...],
    surroundings: Surroundings,
) -> Trace:
    return Trace(
        inputs=signature.nodes + tuple(run.surroundings),
        captured=tuple(run.surroundings.values()),
        events=tuple(run.events),
        template=template,
        writes=writes,
        surroundings=surroundings,
        fallbacks=tuple(run.fallbacks),
        tainted=run.tainted,
        watched=run.watched,
        errors=error_state() if run.watchable else None,
        filters=run.filters,
        order_matters=run.order_matters,
    )


@contextlib.contextmanager
def _estimators() -> Iterator[None]:
    """Estimators record while the function runs, if any library of them is loaded."""
    if not {"sklearn", "lightgbm", "catboost"} & sys.modules.keys():
        yield
        return
    from fuse.integrations.estimators.intercept import intercepting

    with intercepting():
        yield
