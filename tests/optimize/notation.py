"""The docstring of a rule is its test: how it is read.

Each line with `=>` is an example, `left => right` (the right side may stand on the next line,
and goes on while a bracket is open); a line that
ends in `stays` is a node the rule must leave alone; other lines are prose. Both sides are Python over these
names:

- operands, 1-D of 7 elements: x y z (every dtype), f g h (every float), i j (every integer), p q (bool), and
  of one dtype f16 f32 f64 i8 i32 i64 u8; 0-d: s t (every dtype), i0; matrices 3 by 4: m (every dtype), mi
  (integers), mp (bool);
- operands of other shapes: v w (length symbol n), r3 r4 and m31 (every dtype), f3 f4 f22 f23 f34 f43 f31 f133
  f234 (float64), i3
  u3 p3 (three indices below 3 as int64 and uint8, three bools);
- `forest(features)`, two stumps `v <= 0.5` and `v <= 1.5`; `forest(features, threshold=[…], …)` replaces
  arrays of its tables;
- every elementwise op by its name, and `broadcast(x, *shape)`, `stack(*values, axis)`, `convert(x, float64)`,
  `concatenate(*values, axis)`, `bitcast(x, int64)`, `compress`, `gather`, `dot`, `column`, `iota`,
  `reduce(kind, x, axes)`, `arg_reduce(kind, x, axis)`, `filled(like, number, dtype)` and
  `make(op, *operands, **attrs)`;
- `x[1:, ::2]` slices; numbers and lists are constants of the dtype of the operand beside them.

An example is tried with every dtype for which the left side can be typed; it must hold whenever the rule
fires, and the rule must fire for at least one.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fuse.errors import VerifyError
from fuse.ir import build
from fuse.ir.forest import ForestTables
from fuse.ir.node import Node, make
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Symbol
from tests.fuzz.data import DTYPES, FLOATS, INTEGERS, random_array

N = Symbol("n")
_LENGTH_OF_N = 5

# name: (class of dtypes, shape)
OPERANDS: Mapping[str, tuple[str, tuple[Any, ...]]] = {
    **dict.fromkeys("xyz", ("any", (7,))), **dict.fromkeys("fgh", ("float", (7,))),
    **dict.fromkeys("ij", ("integer", (7,))), **dict.fromkeys("pq", ("bool", (7,))),
    **dict.fromkeys("st", ("any", ())), **dict.fromkeys("vw", ("any", (N,))),
    "m": ("any", (3, 4)), "mi": ("integer", (3, 4)), "mp": ("bool", (3, 4)), "i0": ("integer", ()),
    "r3": ("any", (3,)), "r4": ("any", (4,)), "m31": ("any", (3, 1)), "p3": ("bool", (3,)),
    "i3": ("int64", (3,)), "u3": ("uint8", (3,)),
    "f22": ("float64", (2, 2)), "f23": ("float64", (2, 3)), "f34": ("float64", (3, 4)),
    "f31": ("float64", (3, 1)), "f43": ("float64", (4, 3)), "f3": ("float64", (3,)), "f4": ("float64", (4,)),
    "f133": ("float64", (1, 3, 3)), "f234": ("float64", (2, 3, 4)),
    **{name: (dtype, (7,)) for name, dtype in {
        "f16": "float16", "f32": "float32", "f64": "float64", "i8": "int8", "i32": "int32", "i64": "int64",
        "u8": "uint8"}.items()},
}  # fmt: skip
CLASSES = {"any": DTYPES, "float": FLOATS, "integer": INTEGERS, "bool": (np.dtype(bool),)}


@dataclass(frozen=True)
class Term:
    """A node that can be sliced."""

    node: Node

    @property
    def dtype(self) -> np.dtype:
        return self.node.dtype

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.node.shape

    def __getitem__(self, key: Any) -> Term:
        keys = key if isinstance(key, tuple) else (key,)
        keys += (slice(None),) * (len(self.shape) - len(keys))
        return Term(build.slice_(self.node, [(part.start, part.stop, part.step) for part in keys]))


@dataclass(frozen=True)
class Example:
    """A line of a docstring; `right` is None for what stays."""

    left: str
    right: str | None


def examples(rule: Callable[..., Any]) -> list[Example]:
    """The examples in a rule's docstring."""
    found = []
    for line in _lines(re.sub(r"=>\s*\n\s*", "=> ", rule.__doc__ or "")):
        if " => " in line:
            found.append(Example(*(side.strip() for side in line.split(" => "))))
        elif line.endswith(" stays"):
            found.append(Example(line.removesuffix(" stays"), None))
    return found


def _lines(text: str) -> Iterator[str]:
    """The lines, those joined between which an example has an open bracket."""
    begun = ""
    for line in map(str.strip, text.splitlines()):
        begun = f"{begun} {line}" if begun else line
        if " => " not in begun or begun.count("(") <= begun.count(")"):
            yield begun
            begun = ""


def environments(text: str) -> Iterator[dict[str, Any]]:
    """The names of an example, once for each choice of dtypes."""
    used = {name for name in OPERANDS if name in compile(text, "<example>", "eval").co_names}
    classes = sorted({OPERANDS[name][0] for name in used} & set(CLASSES))
    for dtypes in itertools.product(*(CLASSES[name] for name in classes)):
        chosen = dict(zip(classes, dtypes, strict=True))
        operands = {name: Term(_operand(name, chosen)) for name in used}
        yield {**FUNCTIONS, **operands}


def _operand(name: str, chosen: Mapping[str, np.dtype]) -> Node:
    dtype, shape = OPERANDS[name]
    slot = -1 - list(OPERANDS).index(name)
    return build.input_at(slot, chosen.get(dtype, np.dtype(dtype if dtype not in CLASSES else float)), shape)


def read(text: str, environment: Mapping[str, Any]) -> Node | None:
    """The node an expression says; None when its dtypes do not fit."""
    try:
        value = eval(text, {"__builtins__": {}, "True": True, "False": False}, dict(environment))
    except (VerifyError, OverflowError):  # no loop for these dtypes, or -1 beside an unsigned operand
        return None
    return _lift(value, None)


def arrays(node: Node, rng: np.random.Generator) -> np.ndarray:
    """Data for an operand."""
    shape = tuple(_LENGTH_OF_N if length == N else length for length in node.shape)
    if node in (_operand("i3", {}), _operand("u3", {})):
        return rng.integers(0, 3, shape).astype(node.dtype)
    return random_array(node.dtype, shape, rng)


def _lift(value: Any, dtype: np.dtype | None) -> Node:
    if isinstance(value, Term):
        return value.node
    if isinstance(value, bool):
        return build.constant(value)
    return build.constant(value, dtype)


def _elementwise(op: str) -> Callable[..., Term]:
    def call(*operands: Any) -> Term:
        typed = operands[1:] if op == "select" else operands
        dtype = next((operand.dtype for operand in typed if isinstance(operand, Term)), None)
        return Term(build.elementwise(op, *(_lift(operand, dtype) for operand in operands)))

    return call


_STUMPS: Mapping[str, Any] = {
    "feature": [0, 1], "threshold": [0.5, 1.5], "left": [~0, ~2], "right": [~1, ~3], "flags": [0, 0],
    "roots": [0, 1], "output": [0, 0], "leaf": [1.0, 2.0, 4.0, 8.0], "categories": [], "base": [0.0],
}  # fmt: skip


def _forest(features: Term, **arrays: list[float]) -> Term:
    """Two stumps over two features, or other tables where arrays are given."""
    return Term(
        build.forest(
            features.node,
            ForestTables.from_arrays(**{n: np.array(a) for n, a in {**_STUMPS, **arrays}.items()}),
        )
    )


FUNCTIONS: Mapping[str, Any] = {
    **{op: _elementwise(op) for op in SCALAR_OPS},
    **{str(dtype): dtype for dtype in DTYPES},
    "n": N,
    "convert": lambda x, dtype: Term(build.convert(_lift(x, None), dtype)),
    "bitcast": lambda x, dtype: Term(build.bitcast(x.node, dtype)),
    "broadcast": lambda x, *shape: Term(build.broadcast(_lift(x, None), shape)),
    "stack": lambda *values, axis: Term(build.stack([value.node for value in values], axis)),
    "concatenate": lambda *values, axis: Term(build.concatenate([value.node for value in values], axis)),
    "compress": lambda x, mask: Term(build.compress(x.node, mask.node)),
    "gather": lambda x, index, mode="raise": Term(build.gather(x.node, index.node, mode)),
    "dot": lambda a, b: Term(build.dot(a.node, _lift(b, a.dtype))),
    "forest": _forest,
    "column": lambda x, index: Term(build.column(x.node, index)),
    "iota": lambda length: Term(build.iota(length)),
    "reduce": lambda kind, x, axes=None: Term(build.reduce(kind, x.node, axes)),
    "arg_reduce": lambda kind, x, axis: Term(build.arg_reduce(kind, x.node, axis)),
    "filled": lambda like, value, dtype=None: Term(
        build.broadcast(build.constant(value, dtype or like.dtype), like.shape)
    ),
    "make": lambda op, *operands, **attrs: Term(make(op, [operand.node for operand in operands], attrs)),
}
