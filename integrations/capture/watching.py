"""NumPy's floating-point warnings, for what is computed later: what was called, where, under which settings.

A front end calls `watch` with the result of a call that NumPy would warn about on the spot. The kernels say,
at no cost, whether anything may have gone wrong (fuse/codegen/status.py). Only then the watched calls whose
values were computed are looked at a second time: a program over the same inputs finds which of them met which
error (fuse/ir/float_errors.py), on the graph as it was recorded, and each is warned of with NumPy's words at
the user's line, in the order of the calls.

What is not computed does not warn: a value that nobody looks at, and elements that a later slice or filter
drops. Error states that ask for more than a warning are the front end's business: NumPy computes then.
"""

from __future__ import annotations

import itertools
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from fuse import config
from fuse.integrations.capture.location import user_frame
from fuse.integrations.capture.recording import NumpyWarns, current_recording
from fuse.ir.float_errors import DIVIDE, INVALID, OVER, WORDS, errors_of
from fuse.ir.node import Node, dependencies, walk

Filters = tuple[Any, ...]
KINDS = (DIVIDE, OVER, INVALID)
_KIND_OF = {**{words: kind for kind, words in WORDS.items()}, "underflow": "under"}


class Site(NamedTuple):
    """A line of the user, the module that it stands in, and the warning filters in force."""

    file: str
    line: int
    module: str
    filters: Filters


class Moment(NamedTuple):
    """Where a call stands in the program, and among the calls that were made."""

    site: Site
    number: int


class Watch:
    """One call. `name` is the word that NumPy's message has for it; None: each op has its own.

    operands: where the call's own operations end. mask: the elements that it computed, None for all. modes:
    of each kind of error what `np.errstate` asked for. told: the messages that were given, since several
    results may be looked at one by one. What it gave is no field, or its nodes would live as long as the call
    is known, which is as long as they live.
    """

    __slots__ = ("mask", "modes", "name", "number", "operands", "site", "told")

    def __init__(
        self,
        name: str | None,
        operands: Collection[Node],
        mask: Node | None,
        modes: tuple[str, ...],
        moment: Moment,
    ) -> None:
        self.name, self.operands, self.mask = name, operands, mask
        self.modes, self.site, self.number = modes, moment.site, moment.number
        self.told: set[str] = set()

    def checks(self, results: Sequence[Node]) -> Iterator[Check]:
        """The errors that the call may have met when it gave these results."""
        own = list(self._own(results))
        for kind, mode in zip(KINDS, self.modes, strict=True):
            if mode != "ignore":
                for node in own:
                    message = f"{WORDS[kind]} encountered in {self._name_of(node)}"
                    for found, condition in errors_of(node, self.mask):
                        if found == kind:
                            yield Check(self, mode, message, condition)

    def _own(self, results: Sequence[Node]) -> Iterator[Node]:
        """The operations of the call."""

        def below(node: Node) -> Iterable[Node]:
            return () if node in self.operands else dependencies(node)

        return (node for node in walk(results, below) if node not in self.operands)

    def _name_of(self, node: Node) -> str:
        if node.op == "convert":
            return "cast"
        if self.name is not None:
            return self.name
        if node.op in ("reduce", "scan"):
            return "reduce" if node.op == "reduce" else "accumulate"
        name = {"square": "multiply"}.get(node.op, node.op)
        return name if node.shape else f"scalar {name}"


class Check(NamedTuple):
    """An error that a call may have met: it did where the bool value holds."""

    watch: Watch
    mode: str
    message: str
    condition: Node


Watched = Mapping[Watch, Sequence[Node]]
"""Calls and what they gave."""

_watched: weakref.WeakKeyDictionary[Node, list[Watch]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()
_numbers = itertools.count()
_seen: tuple[list[Any], Filters] = ([], ())


def current_filters() -> Filters:
    """The filters of `warnings`, the same object while they are the same."""
    global _seen
    before, filters = _seen
    if warnings.filters != before:
        _seen = before, filters = list(warnings.filters), tuple(warnings.filters)
    return filters


class _Here(threading.local):
    """`depth`: inside how many calls that are watched as a whole; `prefix`: see `of_scalars`."""

    depth = 0
    prefix = ""


_here = _Here()


@contextmanager
def whole_call() -> Iterator[None]:
    """What is called inside is part of one call, which is watched or not."""
    _here.depth += 1
    try:
        yield
    finally:
        _here.depth -= 1


@contextmanager
def of_scalars() -> Iterator[None]:
    """Inside, ufuncs stand for operators on NumPy's scalars, which its messages give names of their own."""
    _here.prefix = "scalar "
    try:
        yield
    finally:
        _here.prefix = ""


def prefixed(name: str | None) -> str | None:
    """What NumPy's messages call the ufunc of this name here."""
    return name if name is None else _here.prefix + name


def modes_now(known: Any = None) -> tuple[str, ...] | None:
    """What `np.errstate` asks for, which the caller may know; None when nothing is to be watched."""
    if _here.depth or not config.current().warn:
        return None
    state: Any = np.geterr() if known is None else known
    modes = (state["divide"], state["over"], state["invalid"])
    return None if modes == ("ignore", "ignore", "ignore") else modes


def error_state() -> tuple[str, ...] | None:
    """NumPy's error state, as far as what is recorded depends on it."""
    return tuple(map(str, np.geterr().values())) if config.current().warn else None


def site_now() -> Site | None:
    """The user's line that led here."""
    frame = user_frame()
    if frame is None:
        return None
    module = str(frame.f_globals.get("__name__", "<unknown>"))
    return Site(frame.f_code.co_filename, frame.f_lineno, module, current_filters())


def moment_now() -> Moment | None:
    """That of a call that is made now."""
    site = site_now()
    return Moment(site, next(_numbers)) if site is not None else None


def watch(
    name: str | None,
    results: Sequence[Node],
    operands: Collection[Node],
    modes: tuple[str, ...],
    mask: Node | None = None,
    moment: Moment | None = None,
) -> Watch | None:
    """Have this call looked at when its results are computed and something may have gone wrong. It is made
    now, unless its moment is given.
    """
    own = tuple(node for node in results if node not in operands)
    moment = (moment or moment_now()) if own else None
    if moment is None:
        return None
    found = Watch(name, operands, mask, modes, moment)
    recording = current_recording()
    if recording is not None:
        recording.watched[found] = own
        return found
    with _lock:
        for node in own:
            _watched.setdefault(node, []).append(found)
    return found


def watches_of(nodes: Sequence[Node], is_known: Callable[[Node], bool]) -> Watched:
    """The watched calls between what is known and nodes that are not yet, in the order of the graph."""

    def below(node: Node) -> Iterable[Node]:
        return () if is_known(node) else dependencies(node)

    found: dict[Watch, list[Node]] = {}
    for node in walk(nodes, below):
        if not is_known(node):
            for watch in _watched.get(node, ()):
                found.setdefault(watch, []).append(node)
    return found


def checks_of(watched: Watched) -> list[Check]:
    """All errors that calls may have met, in the order of the calls."""
    calls = sorted(watched.items(), key=lambda item: item[0].number)
    return [check for watch, results in calls for check in watch.checks(results)]


def met(checks: Sequence[Check], holds: Sequence[Any]) -> list[Check]:
    """Those that they did meet, each message of a call once."""
    found = {(check.watch, check.message): check for check, held in zip(checks, holds, strict=True) if held}
    return list(found.values())


def tell(check: Check) -> None:
    """Warn under the filters of the call, or do what it asked for instead."""
    site = check.watch.site
    if check.mode == "warn" and site.filters != current_filters():
        with warnings.catch_warnings():
            warnings.filters[:] = list(site.filters)  # type: ignore[index]  # a list, whatever typeshed says
            _warn(site, check.message)
    else:
        _do(check.mode, check.message, site)


def tell_together(checks: Sequence[Check], filters: Filters) -> None:
    """Warn of what the calls of a function met that began under these filters, at its end.

    Raises NumpyWarns, before any warning, when it has to be told in the middle: an exception, or other
    filters inside the function.
    """
    now = current_filters()
    loud = []
    for check in checks:
        site = check.watch.site
        inner = None if site.filters == filters else action(site.filters, check.message, site)
        if inner == "ignore":
            continue
        if check.mode != "warn" or inner is not None or action(now, check.message, site) == "error":
            raise NumpyWarns(check.message)
        loud.append(check)
    for check in loud:
        _warn(check.watch.site, check.message)


def tell_now(errors: Mapping[str, int], name_of: Callable[[str], str]) -> None:
    """What NumPy does about errors, by its words for them and the flag, that a call met just now."""
    state: Any = np.geterr()
    for words, flag in errors.items():
        site = site_now()
        if site is not None:
            _do(
                state[_KIND_OF[words]],
                f"{words} encountered in {prefixed(name_of(words))}",
                site,
                words,
                flag,
            )


def _do(mode: str, message: str, site: Site, words: str = "", flag: int = 0) -> None:
    handler: Any = np.geterrcall()
    if mode == "raise":
        raise FloatingPointError(message)
    if mode == "warn":
        _warn(site, message)
    elif mode == "call" and handler is not None:
        handler(words, flag)
    elif mode == "log" and handler is not None:
        handler.write(f"Warning: {message}\n")
    elif mode == "print":
        sys.stderr.write(f"Warning: {message}\n")


def warn_here(message: str, category: type[Warning]) -> None:
    """A warning of NumPy's own making, at the user's line."""
    site = site_now()
    if site is None:
        warnings.warn(message, category, stacklevel=2)
    else:
        _warn(site, message, category)


def _warn(site: Site, message: str, category: type[Warning] = RuntimeWarning) -> None:
    registry = getattr(sys.modules.get(site.module), "__dict__", {}).setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, category, site.file, site.line, site.module, registry)


def action(filters: Filters, message: str, site: Site) -> str:
    """What filters say of a warning: "default", "ignore", "error", …"""
    for kind, text, category, module, line in filters:
        if (
            (text is None or text.match(message))
            and issubclass(RuntimeWarning, category)
            and (module is None or module.match(site.module))
            and line in (0, site.line)
        ):
            return str(kind)
    return "default"
