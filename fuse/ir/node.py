"""The one node class: immutable, interned by bits, typed at birth by the op table.

Structurally equal nodes are the same object, so common subexpressions need no pass and equality is `is`.
The source location says which line of the user made the node first; it takes no part in equality.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fuse.ir.types import Type


class Location(NamedTuple):
    """A line of the user's code."""

    file: str
    line: int
    library: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class ConstantArray:
    """A read-only array, compared by bits: 0.0 and -0.0 differ, a NaN equals itself, 1 is not True."""

    __slots__ = ("_key", "array")

    def __init__(self, array: np.ndarray) -> None:
        if array.flags.writeable or not array.flags.c_contiguous:
            array = np.array(array, order="C")
            array.flags.writeable = False
        self.array = array
        content = array.tobytes() if array.dtype.kind != "T" else repr(array.tolist()).encode()
        digest = content if len(content) <= 64 else hashlib.blake2b(content, digest_size=20).digest()
        self._key = (array.dtype.str if array.dtype.kind != "T" else "str", array.shape, digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConstantArray) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"ConstantArray({self.array!r})"

    @property
    def key(self) -> tuple[str, tuple[int, ...], bytes]:
        """Dtype, shape, and the content or a digest of it: equal for equal bits, in every process."""
        return self._key

    @property
    def digest(self) -> str:
        """A short name for the content, equal for equal bits."""
        return hashlib.blake2b(repr(self._key).encode(), digest_size=6).hexdigest()


class Node:
    """One value of the graph. Made by `make`, never by the constructor."""

    __slots__ = ("__weakref__", "attrs", "depth", "id", "inputs", "location", "masks", "op", "type")

    op: str
    inputs: tuple[Node, ...]
    attrs: Mapping[str, Any]
    type: Type
    location: Location | None
    id: int
    masks: tuple[Node, ...]
    depth: int
    """How many ops lie below one another, this one included."""

    def __init__(self, op: str, inputs: tuple[Node, ...], attrs: Mapping[str, Any], type: Type) -> None:
        raise TypeError("nodes are interned: use fuse.ir.node.make or the builders of fuse.ir.build")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"nodes are immutable: cannot set {name!r} of {self!r}")

    def __repr__(self) -> str:
        return f"<{self.op}#{self.id} {self.type}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return make, (self.op, self.inputs, dict(self.attrs), self.location)

    @property
    def dtype(self) -> np.dtype:
        return self.type.dtype

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.type.shape


_FIELDS = tuple(
    vars(Node)[name].__set__ for name in ("op", "inputs", "attrs", "type", "location", "id", "masks", "depth")
)
"""What sets the fields of a node that is being made, in this order."""

_interned: weakref.WeakValueDictionary[tuple[Any, ...], Node] = weakref.WeakValueDictionary()
_lock = threading.RLock()
_ids = itertools.count()
_locate: ContextVar[Callable[[], Location | None] | None] = ContextVar("fuse_locate", default=None)


@contextmanager
def located(locate: Callable[[], Location | None] | None) -> Iterator[None]:
    """Inside the block, nodes made without a location ask `locate` for one; None: they have none."""
    token = _locate.set(locate)
    try:
        yield
    finally:
        _locate.reset(token)


def _current_location() -> Location | None:
    locate = _locate.get()
    return locate() if locate is not None else None


def make(
    op: str, inputs: Iterable[Node], attrs: Mapping[str, Any] | None = None, location: Location | None = None
) -> Node:
    """The node of this op over these inputs: the existing one, or a new one typed by the op table.

    Raises `fuse.errors.VerifyError` (with both types in the message) when the op table refuses the inputs.
    """
    from fuse.ir.ops import OPS

    inputs = tuple(inputs)
    attrs = dict(attrs) if attrs else {}
    exact = tuple(sorted([_exact(*item) for item in attrs.items()])) if attrs else ()
    key = (op, tuple(map(id, inputs)), exact)
    with _lock:
        node = _interned.get(key)
        if node is None:
            node = object.__new__(Node)
            type_ = OPS[op].infer(tuple([source.type for source in inputs]), attrs)
            masks = tuple([mask for value in attrs.values() for mask in _masks(value)])
            where = location or _current_location()
            depth = 1 + max([source.depth for source in inputs], default=-1)
            values = (op, inputs, attrs, type_, where, next(_ids), masks, depth)
            for put, value in zip(_FIELDS, values, strict=True):
                put(node, value)
            _interned[key] = node
        return node


class _Exact(tuple[Any, ...]):
    """An attribute as a key: hashed with its class, ordered by its name alone."""

    def __lt__(self, other: Any) -> bool:
        return bool(self[0] < other[0])


def _exact(name: str, value: Any) -> _Exact:
    if isinstance(value, np.dtype):
        return _Exact((name, np.dtype, value.str))
    return _Exact((name, type(value), value))


def dependencies(node: Node) -> tuple[Node, ...]:
    """The inputs, and the masks that the shape attributes of a node count."""
    return node.inputs + node.masks if node.masks else node.inputs


def walk(outputs: Iterable[Node], below: Callable[[Node], Iterable[Node]] = dependencies) -> Iterator[Node]:
    """Every node that the outputs need, inputs before users, in a deterministic order; no recursion.

    below: what a node needs, if not all of its dependencies.
    """
    seen: set[Node] = set()
    stack: list[Node | None] = list(reversed(tuple(outputs)))
    while stack:
        node = stack.pop()
        if node is None:  # what lies below it on the stack has had its sources
            node = stack.pop()
            assert node is not None
            yield node
        elif node not in seen:
            seen.add(node)
            sources = [source for source in below(node) if source not in seen]
            if not sources:
                yield node
                continue
            stack += (node, None)
            stack += reversed(sources)


def _masks(value: Any) -> Iterator[Node]:
    from fuse.ir.types import Count, SizeOf

    if isinstance(value, Count):
        yield value.mask
    elif isinstance(value, SizeOf):
        for operand in value.operands:
            yield from _masks(operand)
    elif isinstance(value, Type):
        yield from _masks(value.shape)
    elif isinstance(value, tuple):
        for item in value:
            yield from _masks(item)


@dataclass(frozen=True)
class Graph:
    """Outputs, and by reachability everything else. A pass maps a graph to a graph."""

    outputs: tuple[Node, ...]

    @functools.cached_property
    def _order(self) -> tuple[Node, ...]:
        """Every pass asks for the nodes in order; a graph is walked once."""
        return tuple(walk(self.outputs))

    def nodes(self) -> Iterator[Node]:
        return iter(self._order)

    def inputs(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes() if node.op == "input")
