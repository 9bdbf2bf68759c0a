"""The generated tables of the pages, each derived from the table of the code that decides."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from fuse import config
from fuse.integrations.pandas_frame import accessors, calendar, frame, series
from fuse.integrations.pandas_frame.install import _FRAME_ANSWERS, _SERIES_ANSWERS, _STATIC, OBSERVING
from fuse.ir import build
from fuse.ir.forest import ForestTables
from fuse.ir.node import Node
from fuse.ir.ops import OPS, REDUCTIONS
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Symbol
from fuse.optimize.pipeline import PIPELINE
from fuse.plan.classify import VIEWS, role_of

_WIDTH = 110


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def names(found: Iterable[str]) -> str:
    """Names as code, in order, wrapped."""
    text = ", ".join(f"`{name}`" for name in sorted(set(found)))
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def versions() -> str:
    """What the lists of NumPy's and pandas' names were made with."""
    return f"Names of NumPy {_minor(np.__version__)} and pandas {_minor(pd.__version__)}."


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


# README, debugging


def settings() -> str:
    """Every field of `Config`, with the words of its docstring."""
    meanings = _described_fields(config.Config)
    variables = {name: variable for variable, (name, _) in config._ENVIRONMENT.items()}
    rows = [
        (
            f"`{f.name}`",
            f"`{variables[f.name]}`" if f.name in variables else "",
            _default(f),
            meanings[f.name],
        )
        for f in fields(config.Config)
    ]
    return table(("setting", "variable", "default", "meaning"), rows)


def _default(field: Any) -> str:
    return "none" if field.default == frozenset() else f"`{field.default!r}`"


def _described_fields(described: type) -> dict[str, str]:
    """`name: meaning` of a class's docstring; a meaning may go on in the next line."""
    found: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(described.__doc__ or "").splitlines():
        match = re.match(r"(\w+): (.*)", line)
        if match is not None:
            name, found[match[1]] = match[1], match[2]
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found


def passes() -> str:
    """The optimizer's order, with its reasons."""
    rows = [(str(place), f"`{entry.name}`", entry.because) for place, entry in enumerate(PIPELINE, 1)]
    return table(("", "pass", "why it stands here"), rows)


# ops


def scalar_ops() -> str:
    """Every elementwise op of one dtype rule: what the kernels compute element by element."""
    rows = [(f"`{name}`", str(op.arity), f"{op.cost:g}", _immediate(op)) for name, op in SCALAR_OPS.items()]
    return table(("op", "operands", "cost", "constant in the code"), rows)


def _immediate(op: Any) -> str:
    return ", ".join(f"operand {place + 1}" for place in op.immediate)


def array_ops() -> str:
    """Every other op, and what runs it."""
    rows = [
        (f"`{name}`", ", ".join(f"`{attr}`" for attr in op.attrs), op.summary, _runs_as(name))
        for name, op in OPS.items()
        if name not in SCALAR_OPS
    ]
    return table(("op", "attributes", "meaning", "runs as"), rows)


def reductions() -> str:
    """The kinds of `reduce`."""
    return names(REDUCTIONS)


_ROLES = {
    "leaf": "an array in memory",
    "fused": "inside a kernel",
    "reduce": "the end of a kernel",
    "view": "a view, no copy",
    "step": "NumPy, between kernels",
}


def _runs_as(op: str) -> str:
    """What the planner makes of the samples of an op; the cases are named where they differ."""
    if op == "opaque":
        return "a call into a library"
    found = {case: _ROLES[_role(node)] for case, node in _samples()[op].items()}
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    return "; ".join(f"{case}: {role}" for case, role in found.items())


def _role(node: Node) -> str:
    role = role_of(node)
    return "view" if role == "step" and node.op in VIEWS else role


@cache
def _samples() -> Mapping[str, Mapping[str, Node]]:
    """Typical nodes of each op, over n rows."""
    n = Symbol("n")
    double, integer = np.dtype(np.float64), np.dtype(np.int64)
    x, matrix = build.new_input(double, (n,)), build.new_input(double, (n, 20))
    mask, rows = build.new_input(np.dtype(bool), (n,)), build.new_input(integer, (n,))
    number = build.constant(1.0)
    return {
        "input": {"": x},
        "constant": {"": number},
        "iota": {"": build.iota(n)},
        "convert": {"": build.convert(x, np.float32)},
        "bitcast": {"": build.bitcast(x, np.int64)},
        "broadcast": {
            "a scalar": build.broadcast(number, (n,)),
            "an array": build.broadcast(build.new_input(double, (20,)), (n, 20)),
        },
        "reshape": {"": build.reshape(matrix, (n, 4, 5))},
        "transpose": {"": build.transpose(matrix, (1, 0))},
        "slice": {"": build.slice_(x, [(1, None, None)])},
        "concatenate": {"": build.concatenate([x, x])},
        "stack": {"columns": build.stack([x, x], 1), "rows": build.stack([x, x], 0)},
        "gather": {"from a vector": build.gather(x, rows), "rows of a matrix": build.gather(matrix, rows)},
        "compress": {"a column": build.compress(x, mask), "rows of a matrix": build.compress(matrix, mask)},
        "masked_scatter": {"": build.masked_scatter(x, mask, build.compress(x, mask))},
        "update_slice": {"": build.update_slice(matrix, matrix, [(None, None, None)] * 2)},
        "reduce": {
            "over all axes": build.reduce("sum", x),
            "over the last axis": build.reduce("sum", matrix, (1,)),
            "over the first axis of 20 columns": build.reduce("sum", matrix, (0,)),
        },
        "scan": {
            "along the first axis": build.scan("sum", matrix, 0),
            "along the rows": build.scan("sum", matrix, 1),
        },
        "arg_reduce": {"": build.arg_reduce("argmax", matrix, 1)},
        "dot": {
            "with a matrix of 20 × 4": build.dot(matrix, build.constant(np.ones((20, 4)))),
            "of 20 × 500": build.dot(matrix, build.constant(np.ones((20, 500)))),
        },
        "forest": {"": build.forest(matrix, _stump())},
    }


def _stump() -> ForestTables:
    """One tree of one test."""
    return ForestTables.from_arrays(
        feature=np.zeros(1), threshold=np.zeros(1), left=np.array([-1]), right=np.array([-2]),
        flags=np.zeros(1), roots=np.zeros(1), output=np.zeros(1), leaf=np.ones(2),
        categories=np.zeros(0), base=np.zeros(1),
    )  # fmt: skip


def _public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


# pandas


def _methods(recorders: Mapping[str, Callable[..., Any]]) -> str:
    """Method names, and the operators by their special names without underscores."""
    plain = [name for name in recorders if not name.startswith("__")]
    special = [name.strip("_") for name in recorders if name.startswith("__")]
    return f"{names(plain)}\n\nSpecial methods, by their names without underscores:\n{names(special)}"


def pandas_frame() -> str:
    """What is recorded of a frame."""
    return _methods(frame.METHODS)


def pandas_series() -> str:
    """What is recorded of a series."""
    return _methods(series.METHODS)


def pandas_known() -> str:
    """What is answered without the values."""
    return table(
        ("class", "attributes"),
        [
            ("`DataFrame`", names(_FRAME_ANSWERS).replace("\n", " ")),
            ("`Series`", names(_SERIES_ANSWERS).replace("\n", " ")),
        ],
    )


def pandas_dates() -> str:
    """Fields and methods of `Series.dt`."""
    return names([*calendar.FIELDS, *_public(accessors.Dates)])


def pandas_categories() -> str:
    """Attributes of `Series.cat`."""
    return names(_public(accessors.Categories))


def pandas_observing() -> str:
    """Methods that hand the values out: no fallback, evaluation is what was asked for."""
    return names(name for name in OBSERVING if not name.startswith("_") and _has_pandas(name))


def _has_pandas(name: str) -> bool:
    return hasattr(pd.DataFrame, name) or hasattr(pd.Series, name)


def pandas_not() -> str:
    """Methods that pandas runs, and that the report counts."""
    rows = [
        ("`DataFrame`", _forwarded(pd.DataFrame, frame.METHODS)),
        ("`Series`", _forwarded(pd.Series, series.METHODS)),
    ]
    return table(("class", "methods"), rows)


def _forwarded(base: type, recorders: Mapping[str, Any]) -> str:
    found = (
        name
        for name in _public(base)
        if callable(getattr(base, name))
        and not isinstance(getattr(base, name), type)
        and name not in recorders
        and name not in OBSERVING
        and name not in _STATIC
        and name not in ("loc", "iloc", "at", "iat")
    )
    return names(found).replace("\n", " ")
