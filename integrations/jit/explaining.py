"""`explain` of a jitted function: its plan for some arguments, in words.

The function is recorded if it has no plan for them, whatever their length; nothing is written back.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from fuse import config
from fuse.explain import Explanation, Intermediate, LibraryStep, Timings
from fuse.explain.describe import describe as describe_program
from fuse.integrations.capture.recording import SharedWrite
from fuse.integrations.jit import plan as plans
from fuse.integrations.jit.signature import Call, NotCarried
from fuse.ir.types import dtype_name

if TYPE_CHECKING:
    from fuse.integrations.jit.function import JitFunction


def explain_call(function: JitFunction[Any, Any], args: Any, kwargs: Any, analyze: bool) -> Explanation:
    """What the function becomes for these arguments."""
    name = function.py_func.__name__
    started = time.perf_counter()
    try:
        call = Call(args, kwargs)
    except NotCarried as refusal:
        return _only_plain(name, str(refusal))
    if not call.arrays or call.pattern is None:
        return _only_plain(name, "there are no rows: the plain function runs")
    converted = time.perf_counter() - started
    try:
        plan = _existing(function, call) or _record(function, call, args, kwargs)
    except SharedWrite as reason:
        return _only_plain(name, str(reason))
    found = describe(plan, name)
    return _timed(found, plan, call, converted, started) if analyze else found


def describe(plan: plans.Plan, title: str) -> Explanation:
    """A plan as facts: those of its programs, and what stands between them."""
    trace = plan.trace
    total = Explanation(title=title)
    for step in plan.steps:
        if isinstance(step, plans.Run):
            total += describe_program(step.program)
    return total + Explanation(
        library_steps=tuple(_library_steps(trace)),
        intermediates=tuple(_between(plan)),
        guards=tuple(step.text for step in plan.steps if isinstance(step, plans.Check | plans.CheckSize)),
        notes=(f"recorded at every call: {trace.tainted}",) if trace.tainted else (),
    )


def _only_plain(name: str, reason: str) -> Explanation:
    return Explanation(title=name, library_steps=(LibraryStep(name, reason),))


def _library_steps(trace: plans.Trace) -> list[LibraryStep]:
    reported = dict.fromkeys(trace.fallbacks)
    return [LibraryStep(found.call, found.reason, str(found.location or "")) for found in reported]


def _between(plan: plans.Plan) -> list[Intermediate]:
    """What a library step reads or gives, but for the call's own arrays."""
    own = set(plan.trace.inputs)
    found: dict[str, Intermediate] = {}
    for step in plan.steps:
        if isinstance(step, plans.Call):
            for node in step.step.inputs:
                if node not in own and node.type.rank:
                    name = f"{node.op}#{node.id}"
                    found[name] = Intermediate(name, dtype_name(node.dtype), "read by a library step")
    return list(found.values())


def _existing(function: JitFunction[Any, Any], call: Call) -> plans.Plan | None:
    signature = function.signature_of(call)
    for plan in signature.plans if signature is not None else ():
        if plan.trace.surroundings.holds() and _values(plan, call) is not None:
            return plan
    return None


def _values(plan: plans.Plan, call: Call) -> list[Any] | None:
    """Explaining warns of nothing."""
    with config.config(warn=False):
        return plan.values(call.arrays, {})


def _record(function: JitFunction[Any, Any], call: Call, args: Any, kwargs: Any) -> plans.Plan:
    recorded, signature = function.recorded(call, args, kwargs)
    if recorded.trace.tainted is None:
        return function.adopt(recorded, signature)
    return signature.linker.link(recorded.trace, False)


def _timed(found: Explanation, plan: plans.Plan, call: Call, converted: float, started: float) -> Explanation:
    """The first run compiles; the second shows what a call costs."""
    _values(plan, call)
    compiled = time.perf_counter() - started
    begin = time.perf_counter()
    arrays = _values(plan, call) or []
    ran = time.perf_counter() - begin
    begin = time.perf_counter()
    count = len(plan.trace.template.nodes)
    plan.trace.template.make(arrays[:count], [value for value, _, _ in call.carried])
    converted += time.perf_counter() - begin
    return found + Explanation(timings=Timings(max(compiled - ran - converted, 0.0), converted, ran))
