"""The steps of a scorer as one plain function: what each step is called with, and by which method.

A callable is called. An estimator in the middle transforms; at the end it predicts, by the method that was
asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fuse.integrations.jit.substitute import ACTIVE

AUTO = "auto"
_METHODS = ("transform", "predict", "predict_proba", "decision_function")
_LAST = ("predict_proba", "predict", "transform")


def is_estimator(step: Any) -> bool:
    """Whether this is a fitted object with methods rather than a function."""
    return any(hasattr(step, method) for method in _METHODS) and not isinstance(step, type)


def methods_of(steps: Sequence[Any], method: str) -> list[str | None]:
    """The method by which each step runs, None for callables.

    Raises TypeError for a step that is neither, or has not the method that its place asks for.
    """
    if not steps:
        raise TypeError("fuse.compile takes at least one step")
    last = len(steps) - 1
    return [
        _method(step, number, method if number == last else "transform") for number, step in enumerate(steps)
    ]


def _method(step: Any, number: int, wanted: str) -> str | None:
    if not is_estimator(step):
        if not callable(step):
            raise TypeError(f"step {number} ({step!r}) is neither callable nor an estimator")
        return None
    if wanted == AUTO:
        return next(name for name in (*_LAST, "decision_function") if hasattr(step, name))
    if not hasattr(step, wanted):
        raise TypeError(
            f"step {number} ({type(step).__name__}) has no method {wanted!r}, which its place asks for"
        )
    return wanted


def composed(steps: Sequence[Any], methods: Sequence[str | None]) -> Callable[[Any], Any]:
    """One function of the first step's argument."""

    def run(value: Any) -> Any:
        for step, method in zip(steps, methods, strict=True):
            value = _call(step, method)(value)
        return value

    run.__name__ = run.__qualname__ = " | ".join(map(name_of, steps))
    return run


def _call(step: Any, method: str | None) -> Callable[[Any], Any]:
    """The step's function; in a recording the rebuilt one, and the plan then depends on the estimator's
    state.
    """
    substitution = ACTIVE.get()
    found: Callable[[Any], Any]
    if substitution is None:
        found = step if method is None else getattr(step, method)
    else:
        substitution.depends_on(step)
        found = substitution(step) if method is None else getattr(step, method)
    return found


def name_of(step: Any) -> str:
    """What a step is called in explanations."""
    return getattr(step, "__name__", None) or type(step).__name__
