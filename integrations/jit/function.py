"""`@fuse.jit`: the callable. Which plan serves this call, or is it to be recorded, or is it for the plain
function?

Small inputs without a plan run in the plain function. A signature's plans are tried, the latest used first;
if none holds, the function is recorded. A jitted function should be pure in Python's terms: what it prints,
it prints when it is recorded.

What goes wrong inside fuse runs the plain function, on inputs that are still what they were: it raises what
the library raises, and if it does not, the failure was ours and is reported.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

import numpy as np

from fuse import config
from fuse.errors import ExportError, InternalError, SchemaError, StrictModeError
from fuse.explain import Explanation
from fuse.integrations.capture.recording import (
    NumpyWarns,
    PresumptionFailed,
    SharedWrite,
    SymbolicMismatch,
    current_recording,
)
from fuse.integrations.capture.report import fallback
from fuse.integrations.capture.watching import error_state
from fuse.integrations.jit.explaining import explain_call
from fuse.integrations.jit.plan import Memo, Plan, Trace
from fuse.integrations.jit.signature import Call, NotCarried, is_small, pattern
from fuse.integrations.jit.statistics import Statistics
from fuse.integrations.jit.streams import Streams
from fuse.integrations.jit.substitute import ACTIVE
from fuse.integrations.jit.trace import Recorded, Signature, SignatureKey, deliver, is_users_own, record
from fuse.integrations.jit.worth import is_long_and_light
from fuse.integrations.jit.writeback import is_in_c_order, overlaps
from fuse.runtime.collection import rare_collections

P = ParamSpec("P")
R = TypeVar("R")

_MOST_SIGNATURES = 256
_Fast = tuple[Plan, Callable[..., Any], Callable[..., Any]]


class JitFunction(Generic[P, R]):
    """A function with its plans. Made by `fuse.jit`.

    py_func: the plain function. signatures: what plans exist for. `explain`, `stats` and `clear` look at and
    forget them. Calling it gives what the plain function gives: real NumPy and pandas objects, and its
    exceptions.
    """

    __fuse_inline__ = True

    def __init__(self, function: Callable[P, R], strict: bool | None = None) -> None:
        functools.update_wrapper(self, function)
        self.py_func: Callable[P, R] = function
        self._strict = strict
        self._name: str = getattr(function, "__qualname__", repr(function))
        self._stats = Statistics()
        self._signatures: dict[Any, Signature] = {}
        self._static: set[SignatureKey] = set()
        self._fast: dict[Any, _Fast] = {}
        self._broken: set[Any] = set()  # outlines of arguments for which fuse itself failed
        self._outlines: set[Any] = set()
        self._light: set[Any] = set()  # lengths for which the plain function is the better plan

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if current_recording() is not None:
            return self._inline(args, kwargs)
        if self._fast and not kwargs:
            key = _fast_key(args)
            found = self._fast.get(key) if key is not None else None
            if found is not None and found[0].trace.holds():
                try:
                    arrays, doubtful = found[1](args)
                    if doubtful:
                        found[0].second_look.take([*args, *arrays])
                    result: R = found[2](arrays)
                except NumpyWarns:
                    return self._plain(args, kwargs)
                except Exception:  # noqa: BLE001  # whatever failed in a compiled program, the slow path sorts out
                    pass
                else:
                    self._stats.replayed += 1
                    return result
        if self._strict is None:
            return self._dispatch(args, kwargs)
        with config.config(strict=self._strict):
            return self._dispatch(args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> str:
        """By reference: unpickling finds it by its name, as with any function."""
        return self._name

    def __repr__(self) -> str:
        return f"<fuse.jit {self._name}>"

    @property
    def signatures(self) -> list[str]:
        """One text per signature that has plans."""
        return [
            ", ".join(str(node.type) for node in found.nodes)
            for found in self._signatures.values()
            if found.plans
        ]

    @property
    def was_recorded(self) -> bool:
        """Whether a call was recorded, or would have been and fuse failed."""
        return bool(self._outlines or self._broken)

    @property
    def is_compiled(self) -> bool:
        """Whether every call that was recorded has a plan without steps of a library."""
        plans = [plan for found in self._signatures.values() for plan in found.plans]
        is_whole = bool(plans) and not any(plan.trace.fallbacks for plan in plans)
        return is_whole and not self._broken and not self._stats.reasons

    def stats(self) -> Statistics:
        """How often the plain function ran, how often it was recorded, how often a plan was replayed."""
        return self._stats.snapshot()

    def clear(self) -> None:
        """Forget every plan and every count."""
        self._signatures.clear()
        self._static.clear()
        self._outlines.clear()
        self._broken.clear()
        self._fast.clear()
        self._light.clear()
        self._stats = Statistics()

    def explain(self, *args: Any, analyze: bool = False, **kwargs: Any) -> Explanation:
        """What the function becomes for these arguments: kernels, what is materialised, what is not compiled
        and why.

        The arguments may be of any length; the function is recorded if it was not yet. `analyze=True` also
        runs it and gives the times of compile, convert and run.
        """
        return explain_call(self, args, kwargs, analyze)

    def prepare(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Record and compile for arguments like these, of any length, without a result."""
        explain_call(self, args, kwargs, False)

    def export(self, path: Any, *, target: str = "wasm32", example: Any, cpu: str | None = None) -> None:
        """Write the function, which takes one table or array like `example`, for another place; see
        `fuse.Scorer.export`. ExportError lists the lines that only a library can run.
        """
        from fuse.integrations.scorer.exporting import export_function

        export_function(self, example, path, target, cpu)

    def signature_of(self, call: Call) -> Signature | None:
        """The signature that serves a call, if it was recorded."""
        return self._signatures.get(self._key(call))

    def recorded(
        self, call: Call, args: Any, kwargs: Any, presumes: bool = False
    ) -> tuple[Recorded, Signature]:
        """Record the function for a call: with symbolic lengths; or with static ones, if lengths must agree
        or if Python looked at one, since the plan then serves that length alone and may as well know it.
        """
        key = self._key(call)
        signature = self._signatures.get(key) or Signature.of(call, key)
        self._stats.recorded += 1
        self._outlines.add(_outline((*args, *kwargs.values())))
        try:
            found = record(self.py_func, args, kwargs, call, signature, presumes)
        except SymbolicMismatch:
            found = None
        if found is None or found.looked_at_a_length:
            if found is not None:
                found.trace.surroundings.undo()
            self._static.add(key)
            signature = Signature.of(call, self._key(call))
            found = record(self.py_func, args, kwargs, call, signature, presumes)
        return found, signature

    def adopt(self, recorded: Recorded, signature: Signature) -> Plan:
        """Keep what was recorded."""
        plan = signature.add(recorded.trace)
        self._signatures[signature.key] = signature
        while len(self._signatures) > _MOST_SIGNATURES:
            self._signatures.pop(next(iter(self._signatures)), None)
            self._fast.clear()
        return plan

    def _key(self, call: Call) -> SignatureKey:
        key = SignatureKey(call.key, call.pattern, False, error_state())
        return (
            key._replace(shapes=tuple(a.shape for a in call.arrays), is_static=True)
            if key in self._static
            else key
        )

    def _inline(self, args: Any, kwargs: Any) -> R:
        """Inside another recording: part of that."""
        substitution = ACTIVE.get()
        function = self.py_func if substitution is None else substitution(self.py_func)
        result: R = function(*args, **kwargs)
        return result

    def _dispatch(self, args: Any, kwargs: Any) -> R:
        settings = config.current()
        if self._broken and _outline((*args, *kwargs.values())) in self._broken:
            return self._plain(args, kwargs)
        if not settings.strict and self._is_plain(args, kwargs, settings.min_rows):
            return self._plain(args, kwargs)
        try:
            call = Call(args, kwargs)
        except NotCarried as refusal:
            fallback(self._name, str(refusal))
            return self._plain(args, kwargs)
        if not call.arrays or call.pattern is None:
            return self._plain(args, kwargs)
        if self._light and not settings.strict and _lengths_of(call) in self._light:
            return self._plain(args, kwargs)
        signature = self.signature_of(call)
        if signature is not None:
            served, result = self._replay(signature, call, args, kwargs)
            if served:
                return cast(R, result)
        if not settings.strict and is_small(call.arrays, settings.min_rows):
            return self._plain(args, kwargs)
        with rare_collections():
            return self._record(call, args, kwargs)

    def _is_plain(self, args: Any, kwargs: Any, limit: int) -> bool:
        """Quickly, without taking anything apart: small, and nothing of this outline was compiled."""
        values = (*args, *kwargs.values())
        return all(_count(value) < limit for value in values) and _outline(values) not in self._outlines

    def _plain(self, args: Any, kwargs: Any) -> R:
        self._stats.plain += 1
        return self.py_func(*args, **kwargs)

    def _replay(self, signature: Signature, call: Call, args: Any, kwargs: Any) -> tuple[bool, Any]:
        """(whether a plan served the call, its result)."""
        memo: Memo = {}
        carried = [value for value, _, _ in call.carried]
        for plan in list(signature.plans):
            if not plan.trace.surroundings.holds():
                _discard(signature.plans, plan)
                continue
            if not fits(plan.trace, carried):
                return True, self._plain(args, kwargs)
            streams = Streams() if plan.trace.surroundings.streams.are_steps else None
            try:
                arrays = plan.values(call.arrays, memo)
                if arrays is None:
                    if streams is not None:
                        streams.rewind()
                        memo = {}
                    continue
                result = deliver(plan.trace, arrays, carried)
            except NumpyWarns:
                return True, self._plain(args, kwargs)
            except Exception as error:  # noqa: BLE001  # see the file's docstring
                return True, self._after_failure(error, args, kwargs)
            if signature.plans and signature.plans[0] is not plan and plan in signature.plans:
                _discard(signature.plans, plan)
                signature.plans.insert(0, plan)
            self._stats.replayed += 1
            return True, result
        return False, None

    def _record(self, call: Call, args: Any, kwargs: Any) -> R:
        """Presuming first, so that nothing is compiled but the plan; looking at the data if that fails."""
        try:
            return self._record_once(call, args, kwargs, presumes=True)
        except PresumptionFailed:
            return self._record_once(call, args, kwargs, presumes=False)

    def _record_once(self, call: Call, args: Any, kwargs: Any, presumes: bool) -> R:
        try:
            recorded, signature = self.recorded(call, args, kwargs, presumes)
        except PresumptionFailed:
            raise
        except SharedWrite as reason:
            fallback(self._name, str(reason))
            return self._plain(args, kwargs)
        except Exception as error:  # see the file's docstring
            if is_users_own(error):
                raise
            return self._after_failure(error, args, kwargs)
        if not fits(recorded.trace, recorded.carried):
            recorded.trace.surroundings.streams.rewind()
            return self._plain(args, kwargs)
        try:
            return self._finish(recorded, call, signature, args, kwargs)
        except PresumptionFailed:
            raise
        except Exception as error:  # noqa: BLE001  # see the file's docstring
            recorded.trace.surroundings.streams.rewind()
            return self._after_failure(error, args, kwargs)

    def _finish(self, recorded: Recorded, call: Call, signature: Signature, args: Any, kwargs: Any) -> R:
        result: R
        if recorded.trace.tainted is not None:
            self._stats.note(recorded.trace.tainted)
            result = recorded.finish()
            return result
        if self._is_light(recorded, call, signature):
            recorded.trace.surroundings.undo()
            self._light.add(_lengths_of(call))
            fallback(self._name, "its operations are many, on few elements each")
            return self._plain(args, kwargs)
        plan = self.adopt(recorded, signature)
        run = recorded.recording
        try:
            arrays = plan.resumed(call.arrays, run.bindings, run.doubtful)
        except NumpyWarns:
            return self._plain(args, kwargs)
        if arrays is None:
            _discard(signature.plans, plan)
            recorded.trace.surroundings.undo()
            raise PresumptionFailed
        result = deliver(recorded.trace, arrays, recorded.carried)
        self._offer_fast(plan, signature, args, kwargs)
        return result

    def _is_light(self, recorded: Recorded, call: Call, signature: Signature) -> bool:
        """Whether the plain function is the better plan. What drew random numbers must not run again."""
        settings = config.current()
        if settings.strict or recorded.recording.draws:
            return False
        return is_long_and_light(recorded.trace.wanted(), signature.nodes, call.arrays, settings.min_rows)

    def _offer_fast(self, plan: Plan, signature: Signature, args: Any, kwargs: Any) -> None:
        """A function of arrays whose plan is one program has a short way."""
        key = _fast_key(args) if not kwargs else None
        program = plan.program
        if key is None or program is None:
            return
        if signature.apart or plan.trace.template.single is None:
            self._fast.pop(key, None)
            return
        self._fast[key] = (plan, program.run_doubting, plan.trace.template.single)

    def _after_failure(self, error: Exception, args: Any, kwargs: Any) -> R:
        """The plain function says what is right; if it runs, the failure was fuse's own."""
        if isinstance(error, StrictModeError | SchemaError | ExportError):
            raise error
        result = self._plain(args, kwargs)
        if config.current().raise_internal:
            raise InternalError(f"{self._name}: {type(error).__name__}: {error}") from error
        self._broken.add(_outline((*args, *kwargs.values())))
        fallback(self._name, f"a bug in fuse, please report it: {type(error).__name__}: {error}")
        return result


def fits(trace: Trace, carried: list[Any]) -> bool:
    """Whether the memory of these arguments is such that a replay writes where the function would."""
    if trace.order_matters and not all(map(is_in_c_order, carried)):
        return False
    return not (trace.writes and overlaps(carried, trace.writes))


def _lengths_of(call: Call) -> Any:
    """What decides how much an operation has to do."""
    return call.key, tuple(array.shape for array in call.arrays)


def _discard(plans: list[Plan], plan: Plan) -> None:
    """By identity; another thread may have been first."""
    plans[:] = [other for other in plans if other is not plan]


def _fast_key(args: tuple[Any, ...]) -> Any:
    """The signature of one or several different plain arrays; None for anything else, and for no rows.

    Vectors, the common case, are told by dtype and by which of them are equally long.
    """
    key: list[Any] = []
    first = 0
    for array in args:
        if type(array) is not np.ndarray:
            return None
        key.append(array.dtype)
        shape = array.shape
        if len(shape) != 1 or shape[0] < 2 or (first and shape[0] != first):
            return _any_fast_key(args)
        first = shape[0]
    return tuple(key) if len(args) == 1 or _are_different(args) else None


def _any_fast_key(args: tuple[Any, ...]) -> Any:
    if any(type(array) is not np.ndarray for array in args) or not _are_different(args):
        return None
    shapes = pattern(args)
    return None if shapes is None else (*(array.dtype for array in args), shapes)


def _are_different(args: tuple[Any, ...]) -> bool:
    return args[0] is not args[1] if len(args) == 2 else len(set(map(id, args))) == len(args)


def _outline(values: tuple[Any, ...]) -> Any:
    """What is seen of arguments without looking: types, and the shapes but for the rows."""
    return tuple((type(value), _shape(value)[1:]) for value in values)


def _shape(value: Any) -> tuple[Any, ...]:
    found = getattr(value, "shape", ())
    return found if type(found) is tuple else ()


def _count(value: Any) -> int:
    shape = _shape(value)
    if shape:
        if isinstance(value, np.ndarray):
            return value.size
        return int(shape[0])  # the columns of a table count one by one, as its arrays do
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, tuple | list):
        return 0
    return max(map(_count, value), default=0)


@overload
def jit(function: Callable[P, R], /) -> JitFunction[P, R]: ...
@overload
def jit(*, strict: bool | None = None) -> Callable[[Callable[P, R]], JitFunction[P, R]]: ...
def jit(function: Callable[..., Any] | None = None, /, *, strict: bool | None = None) -> Any:
    """Compile a function of arrays and tables: `@fuse.jit` or `@fuse.jit(strict=True)`.

    The function is run once on stand-ins for its arguments, with the `numpy` and `pandas` that it and the
    functions it calls use pointing to fuse; what it does becomes a plan that later calls replay. Plans are
    kept per dtypes, ranks, column names and Python values of the arguments, not per row count. `strict`: what
    cannot be compiled raises `fuse.StrictModeError`.

    The results are the plain function's: real arrays and tables, and its exceptions. Prints and other effects
    outside the arguments happen when the function is recorded.
    """
    if function is None:
        return functools.partial(_jit, strict=strict)
    return _jit(function, strict)


def _jit(function: Any, strict: bool | None) -> Any:
    if isinstance(function, staticmethod | classmethod):
        return type(function)(_jit(function.__func__, strict))
    return function if isinstance(function, JitFunction) else JitFunction(function, strict)
