"""The generator: seeded, well-typed programs over every op of the table and every dtype.

It grows a pool of nodes and knows the value of each, so that what NumPy leaves to the machine is kept out:
casts of floats an integer cannot hold, the sign of a NaN, gathers out of range, negative integer powers. What
is inexact by promise (transcendental functions, sums of arbitrary floats) is "loose": it is compared within a
tolerance and only moved around, not computed with, so that an ulp cannot grow. Sums that go on are over small
whole numbers, where every order of adding gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fuse.errors import VerifyError
from fuse.ir import build
from fuse.ir.forest import CATEGORICAL, DEFAULT_LEFT, ForestTables
from fuse.ir.interpret import Sizes, evaluate
from fuse.ir.node import Node, make
from fuse.ir.ops import OPS
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.ir.types import Symbol, element_count
from tests.fuzz.data import DTYPES, FLOATS, random_array
from tests.fuzz.program import Program

_TRANSCENDENTAL = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "logaddexp2", "sin", "cos", "tan",
    "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "hypot",
    "cbrt", "power",
)  # fmt: skip
INEXACT: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(_TRANSCENDENTAL, (8.0, 0.0)),
    **dict.fromkeys(("erf", "erfc", "gammaln"), (64.0, 1.0)),
}
_SUMMED = (256.0, 1.0)
# These see the sign of a NaN, which no rule promises.
_SEES_NAN_SIGN = frozenset({"signbit", "copysign"})
_BOOL = np.dtype(bool)
_PLAIN = (1.0, -1.0, 0.25, 0.0, -0.0, 3.0)
_MAX_SIZE = 400


def random_program(seed: int, steps: int = 24, rows: int | None = None) -> Program:
    """The program of this seed, over arrays whose unknown lengths are `rows`, or drawn."""
    grower = _Grower(np.random.default_rng(seed), rows)
    for _ in range(steps):
        grower.grow()
    return grower.program()


def cumulative(value: np.ndarray) -> np.ndarray:
    """What an `opaque` step calls."""
    return np.maximum.accumulate(value.reshape(-1)) if value.size else value.reshape(-1)


class _Grower:
    """The pool so far, the value of each of its nodes, and which of them are loose."""

    def __init__(self, rng: np.random.Generator, rows: int | None = None) -> None:
        self.rng = rng
        self.sizes = Sizes()
        self.values: dict[Node, np.ndarray] = {}
        self.loose: dict[Node, tuple[float, float]] = {}
        self.hidden: set[Node] = set()
        self.arrays: dict[int, np.ndarray] = {}
        self.lengths = {Symbol("n"): int(rng.choice([0, 1, 2, 5, 9])), Symbol("k"): int(rng.integers(1, 6))}
        if rows is not None:
            self.lengths = dict.fromkeys(self.lengths, rows)
        self.sizes.symbols.update(self.lengths)
        for slot in range(6):
            self.new_input(slot)

    def new_input(self, slot: int) -> None:
        n, k = self.lengths
        shapes = [(n,), (n,), (n,), (n, 3), (n, k), (), (k,), (2, 3), (2, 1, 3), (0,), (1,)]
        shape = shapes[(0, 6)[slot]] if slot < 2 else self.choose(shapes)  # both lengths are always known
        dtype = self.choose(DTYPES)
        node = build.input_at(-1 - slot, dtype, shape)  # new_input counts up from 0
        self.values[node] = self.arrays[-1 - slot] = random_array(dtype, self.sizes.shape(shape), self.rng)
        self._count(node)

    def grow(self) -> None:
        """One more node, if the step that was drawn finds operands."""
        step = self.choose(_DRAWN)
        try:
            _STEPS[step](self)
        except VerifyError as error:
            raise AssertionError(f"the step {step} made an ill-typed node: {error}") from error

    def program(self) -> Program:
        """Some nodes of the pool as outputs: the last ones, some others, and loose ones."""
        seen = [node for node in self.values if node not in self.hidden]
        made = [node for node in seen if node.op != "input"] or seen
        others = [made[int(i)] for i in self.rng.integers(0, len(made), 4)]
        picked = [*made[-3:], *others, *(node for node in made if node in self.loose)][:10]
        outputs = tuple(dict.fromkeys(picked))
        inputs = tuple(node for node in self.values if node.op == "input")
        return Program(
            outputs, inputs, self.arrays, {node: self.loose[node] for node in outputs if node in self.loose}
        )

    # choosing

    def choose(self, items):  # type: ignore[no-untyped-def]  # any sequence gives one of its items
        return items[int(self.rng.integers(len(items)))]

    def any(self, keep: Callable[[Node], bool] = lambda node: True, exact: bool = True) -> Node | None:
        """A node of the pool, the newer ones more often."""
        seen = [n for n in self.values if n.dtype.kind in "biuf" and n not in self.hidden]
        found = [n for n in seen if keep(n) and not (exact and n in self.loose)]
        if not found:
            return None
        return found[-1 - min(int(self.rng.exponential(4)), len(found) - 1)]

    def add(self, node: Node, tolerance: tuple[float, float] | None = None) -> Node:
        """Put a node into the pool, with what it is made of."""
        if node in self.values:
            return node
        operands = [self.values[self.add(source)] for source in node.inputs]
        with np.errstate(all="ignore"):
            value = evaluate(node, operands, self.sizes)
        self.values[node] = value
        self._count(node)
        tolerances = [self.loose[source] for source in node.inputs if source in self.loose]
        if tolerance or tolerances:
            self.loose[node] = max([*tolerances, *([tolerance] if tolerance else [])])
        return node

    def _count(self, node: Node) -> None:
        if node.dtype == _BOOL and len(node.shape) == 1:
            self.sizes.count(node, int(np.count_nonzero(self.values[node])))

    def fits(self, node: Node) -> bool:
        return int(np.prod(self.sizes.shape(node.shape))) <= _MAX_SIZE

    # making operands fit

    def as_dtype(self, node: Node, dtype: np.dtype) -> Node:
        """Converted by a cast that C defines."""
        if node.dtype.kind == "f" and dtype.kind in "iu":
            inside = build.elementwise(
                "less", build.elementwise("absolute", node), build.constant(100, node.dtype)
            )
            node = build.elementwise("select", inside, node, build.constant(1, node.dtype))
            node = build.elementwise("absolute", node) if dtype.kind == "u" else node
        return build.convert(node, dtype)

    def without_nan(self, node: Node) -> Node:
        if node.dtype.kind != "f":
            return node
        return build.elementwise(
            "select", build.elementwise("isnan", node), build.constant(1, node.dtype), node
        )

    def small_whole(self, node: Node, dtype: np.dtype) -> Node:
        """Numbers from 0 to 3, in this dtype, made of any node."""
        whole = self.as_dtype(node, np.dtype(np.int64))
        return build.convert(build.elementwise("bitwise_and", whole, build.constant(3)), dtype)

    def beside(self, node: Node) -> Node:
        """An operand that an elementwise op takes beside this one."""
        kind = self.rng.random()
        other = self.any(lambda o: o.shape == node.shape)
        if kind < 0.6 and other is not None:
            return other
        scalar = self.any(lambda o: not o.shape)
        if kind < 0.75 and scalar is not None:
            return build.broadcast(scalar, node.shape) if self.rng.random() < 0.3 else scalar
        row = self.any(lambda o: len(o.shape) == 1 and o.shape == node.shape[-1:])
        if kind < 0.85 and row is not None:
            return build.broadcast(row, node.shape)
        return self.random_constant(self.choose(DTYPES), ())

    def random_constant(self, dtype: np.dtype, shape: tuple[int, ...]) -> Node:
        if self.rng.random() < 0.5:
            return build.constant(np.full(shape, self.choose([0, 1, 2, 4])), dtype)
        return build.constant(random_array(dtype, shape, self.rng))

    # the steps

    def elementwise(self) -> None:
        op = self.choose(list(SCALAR_OPS))
        first = self.any()
        if first is None:
            return
        operands = [first, *(self.beside(first) for _ in range(SCALAR_OPS[op].arity - 1))]
        node = self.typed(op, operands)
        exact = op not in INEXACT or node.dtype.kind != "f"
        self.add(node, None if exact else INEXACT[op])

    def typed(self, op: str, operands: list[Node]) -> Node:
        """The op over operands converted to one of its loops."""
        if op == "isnat":
            whole = self.as_dtype(operands[0], np.dtype(np.int64))
            return build.elementwise(op, build.bitcast(whole, np.dtype("datetime64[ns]")))
        if op in ("real", "imag", "complex"):
            parts = [self.as_dtype(operand, np.dtype(np.float64)) for operand in (operands[0], operands[-1])]
            made = build.elementwise("conjugate", build.elementwise("complex", *parts))
            return build.elementwise("imag" if op == "imag" else "real", made)
        if op == "select":
            condition, *branches = operands
            dtype = np.result_type(*(branch.dtype for branch in branches))
            return build.elementwise(
                op, self.as_dtype(condition, _BOOL), *(self.as_dtype(b, dtype) for b in branches)
            )
        if op in ("erf", "erfc", "gammaln"):
            return build.elementwise(op, self.as_dtype(operands[0], self.choose(FLOATS)))
        dtypes = _loop(op, [operand.dtype for operand in operands])
        operands = [self.as_dtype(operand, dtype) for operand, dtype in zip(operands, dtypes, strict=True)]
        if op == "power" and dtypes[1].kind in "iu":
            operands[1] = build.elementwise("bitwise_and", operands[1], build.constant(3, dtypes[1]))
        if op in _SEES_NAN_SIGN:
            operands = [self.without_nan(operand) for operand in operands]
        return build.elementwise(op, *operands)

    def idiom(self) -> None:
        """What users and front ends write, and optimizers look for: undone twice, negated, compared, chosen
        again.
        """
        node = self.any()
        if node is None:
            return
        number, truth = self.as_dtype(node, self.choose(DTYPES[1:])), self.as_dtype(node, _BOOL)
        other = self.any(lambda o: o.shape == node.shape) or node
        same = self.as_dtype(other, number.dtype)
        e, one, real = (
            build.elementwise,
            build.constant(1, number.dtype),
            self.as_dtype(node, np.dtype(np.float64)),
        )
        found = [
            e("negative", e("negative", number)),
            e("add", number, e("negative", same)),
            e("subtract", number, e("negative", same)),
            e("absolute", e("negative", number)),
            e("square", e("absolute", number)),
            e("logical_not", e(self.choose(["less", "equal", "greater_equal", "not_equal"]), number, same)),
            e("logical_not", e("logical_not", truth)),
            e("equal", truth, build.constant(self.choose([True, False]))),
            e("select", e("logical_not", truth), number, same),
            e("select", truth, e("select", truth, number, same), one),
            e("select", truth, build.constant(True), build.constant(False)),
            build.convert(e("select", truth, one, build.constant(0, number.dtype)), np.dtype(np.float64)),
            e(
                self.choose(["multiply", "divide", "add", "subtract"]),
                real,
                build.constant(self.choose(_PLAIN)),
            ),
            e("multiply", number, build.constant(-1 if number.dtype.kind in "if" else 1, number.dtype)),
            e("power", real, build.constant(self.choose([2.0, -1.0, 1.0, 0.5]))),
            build.reduce(self.choose(["any", "all"]), e("logical_not", truth)),
        ]
        chosen = self.choose(found)
        self.add(chosen, INEXACT["power"] if chosen.op == "power" else None)

    def one_hot_dot(self) -> None:
        """The one-hot columns of one code before weights, some other column between them."""
        code = self.any(lambda n: len(n.shape) == 1)
        if code is None:
            return
        codes, dtype = (
            self.small_whole(code, self.choose([np.int8, np.int64, np.uint32])),
            np.dtype(np.float64),
        )
        tests = [
            build.elementwise("equal", codes, build.constant(c, codes.dtype))
            for c in self.rng.permutation(5)[:3]
        ]
        columns = [build.convert(test, dtype) for test in tests]
        columns.insert(int(self.rng.integers(4)), self.small_whole(code, dtype))
        shape = (4,) if self.rng.random() < 0.5 else (4, 2)
        weights = build.constant(self.rng.integers(-2, 3, shape), dtype)
        self.add(self.with_plain_zero(build.dot(build.stack(columns, 1), weights)))

    def convert(self) -> None:
        node = self.any()
        if node is not None:
            self.add(self.as_dtype(node, self.choose(DTYPES)))

    def bitcast(self) -> None:
        node = self.any()
        if node is not None:
            same = [dtype for dtype in DTYPES if dtype.itemsize == node.dtype.itemsize and dtype.kind in "iu"]
            self.add(build.bitcast(self.without_nan(node), self.choose(same)))

    def constant(self) -> None:
        self.add(self.random_constant(self.choose(DTYPES), self.choose([(), (3,), (1,), (0,), (2, 3)])))

    def iota(self) -> None:
        node = self.any(lambda n: len(n.shape) > 0)
        if node is not None:
            self.add(build.iota(node.shape[0], self.choose([np.int64, np.float64, np.int32])))

    def broadcast(self) -> None:
        node = self.any(exact=False)
        if node is None:
            return
        shape = tuple(self.choose([1, 3]) if length == 1 else length for length in node.shape)
        lead = self.choose([(), (2,), (Symbol("k"),)])
        self.add_if_small(build.broadcast(node, (*lead, *shape)))

    def add_if_small(self, node: Node) -> None:
        if len(node.shape) <= 4 and self.fits(node):
            self.add(node)

    def reshape(self) -> None:
        node = self.any(exact=False)
        if node is None:
            return
        flat = element_count(node.shape)
        shapes = [(*node.shape, 1), (1, *node.shape), tuple(length for length in node.shape if length != 1)]
        shapes += [(flat,)]
        self.add_if_small(build.reshape(node, self.choose(shapes)))

    def transpose(self) -> None:
        node = self.any(lambda n: len(n.shape) > 1, exact=False)
        if node is not None:
            self.add(build.transpose(node, self.rng.permutation(len(node.shape)).tolist()))

    def slice(self) -> None:
        node = self.any(lambda n: len(n.shape) > 0, exact=False)
        if node is not None:
            self.add(build.slice_(node, [self.bounds() for _ in node.shape]))

    def bounds(self) -> tuple[int | None, int | None, int | None]:
        if self.rng.random() < 0.4:
            return None, None, None
        start, stop = self.choose([None, 0, 1, 2, -1, -3]), self.choose([None, 1, 2, 4, -1, 0, 7])
        return start, stop, self.choose([1, 1, 1, 2, -1, -2])

    def peers(self, node: Node) -> list[Node]:
        """A few nodes of the same type."""
        found = [
            self.any(lambda o: o.type == node.type, exact=False) for _ in range(int(self.rng.integers(1, 4)))
        ]
        return [node, *(peer for peer in found if peer is not None)]

    def concatenate(self) -> None:
        node = self.any(lambda n: len(n.shape) > 0, exact=False)
        if node is not None:
            self.add_if_small(build.concatenate(self.peers(node), int(self.rng.integers(len(node.shape)))))

    def stack(self) -> None:
        node = self.any(exact=False)
        if node is not None:
            axis = 1 if len(node.shape) == 1 else int(self.rng.integers(len(node.shape) + 1))
            self.add_if_small(build.stack(self.peers(node), axis))

    def gather(self) -> None:
        table = self.any(lambda n: len(n.shape) > 0 and self.values[n].shape[0] > 0, exact=False)
        indices = self.any(lambda n: n.dtype.kind in "iu" and len(n.shape) <= 2)
        if table is None or indices is None:
            return
        if self.rng.random() < 0.5 and self.values[table].shape[0] > 3:
            indices, mode = (
                build.elementwise("bitwise_and", indices, build.constant(3, indices.dtype)),
                "raise",
            )
        else:
            mode = "clip"
        node = build.gather(table, indices, mode)
        self.add(indices)
        self.add_if_small(node)

    def mask(self, length: object) -> Node | None:
        """Some bools along an axis."""
        node = self.any(lambda n: n.shape == (length,))
        return None if node is None else self.add(self.as_dtype(node, _BOOL))

    def compress(self) -> None:
        value = self.any(lambda n: len(n.shape) > 0, exact=False)
        mask = self.mask(value.shape[0]) if value is not None else None
        if value is not None and mask is not None:
            self.add(build.compress(value, mask))

    def masked_scatter(self) -> None:
        base = self.any(lambda n: len(n.shape) == 1, exact=False)
        mask = self.mask(base.shape[0]) if base is not None else None
        source = self.any(lambda n: base is not None and n.type == base.type, exact=False)
        if base is not None and mask is not None and source is not None:
            self.add(build.masked_scatter(base, mask, self.add(build.compress(source, mask))))

    def update_slice(self) -> None:
        base = self.any(lambda n: len(n.shape) > 0, exact=False)
        source = self.any(lambda n: base is not None and n.type == base.type, exact=False)
        if base is not None and source is not None:
            bounds = tuple((a, b, 1 if c is None else c) for a, b, c in (self.bounds() for _ in base.shape))
            values = build.slice_(source, bounds)
            self.add(make("update_slice", (base, self.add(values)), {"slices": bounds}))

    def reduce(self) -> None:
        node = self.any()
        if node is None:
            return
        kind = self.choose(["sum", "prod", "min", "max", "fmin", "fmax", "any", "all"])
        axes = sorted(
            {int(self.rng.integers(len(node.shape))) for _ in node.shape}
            if self.rng.random() < 0.6
            else range(len(node.shape))
        )
        if kind in ("any", "all"):
            self.add(build.reduce(kind, self.as_dtype(node, _BOOL), axes))
        elif kind in ("sum", "prod") and node.dtype.kind == "f":
            self.reduce_floats(kind, node, axes)
        else:
            reduced = build.reduce(kind, node, axes)
            self.add(self.with_plain_zero(reduced) if node.dtype.kind == "f" else reduced)

    def with_plain_zero(self, node: Node) -> Node:
        """Which zero a minimum or a sum of zeros gives is not promised; adding 0.0 makes it 0.0."""
        self.hidden.add(node)
        return build.elementwise("add", node, build.constant(0, node.dtype))

    def reduce_floats(self, kind: str, node: Node, axes: list[int]) -> None:
        if self.rng.random() < 0.3 and node.dtype.itemsize > 2:
            self.add(build.reduce(kind, self.tame(node), axes), _SUMMED)
        elif kind == "sum":
            self.add(self.with_plain_zero(build.reduce(kind, self.small_whole(node, node.dtype), axes)))

    def tame(self, node: Node) -> Node:
        """Numbers near 1, so that neither overflow nor cancellation decides how close two sums are."""
        inside = build.elementwise("less", build.elementwise("absolute", node), build.constant(2, node.dtype))
        positive = build.elementwise("absolute", node)
        return build.elementwise("select", inside, positive, build.constant(1, node.dtype))

    def scan(self) -> None:
        node = self.any(lambda n: len(n.shape) > 0)
        if node is None:
            return
        kind = self.choose(["sum", "prod", "min", "max", "fmin", "fmax", "any", "all"])
        value = self.as_dtype(node, _BOOL) if kind in ("any", "all") else node
        found = build.scan(kind, value, int(self.rng.integers(len(node.shape))))
        is_extreme = kind in ("min", "max", "fmin", "fmax") and node.dtype.kind == "f"
        self.add(self.with_plain_zero(found) if is_extreme else found)

    def arg_reduce(self) -> None:
        node = self.any(lambda n: len(n.shape) > 0 and 0 not in self.values[n].shape)
        if node is not None:
            self.add(
                build.arg_reduce(
                    self.choose(["argmin", "argmax"]), node, int(self.rng.integers(len(node.shape)))
                )
            )

    def columns(self, dtype: np.dtype, width: int) -> list[Node]:
        """1-D nodes over the same rows, in one float dtype."""
        first = self.any(lambda n: len(n.shape) == 1)
        if first is None:
            return []
        found = [first, *(self.any(lambda n: n.shape == first.shape) or first for _ in range(width - 1))]
        return [self.as_dtype(node, dtype) for node in found]

    def dot(self) -> None:
        dtype = self.choose([np.dtype(np.float32), np.dtype(np.float64)])
        width = int(self.rng.integers(1, 5))
        columns = self.columns(dtype, width)
        if not columns:
            return
        indicators = [
            self.one_hot(column, dtype) if self.rng.random() < 0.4 else column for column in columns
        ]
        features = build.stack([self.small_whole(column, dtype) for column in indicators], 1)
        if self.rng.random() < 0.4:
            features = build.elementwise(
                self.choose(["multiply", "divide"]), features, build.constant(2, dtype)
            )
        if self.rng.random() < 0.4:
            row = build.constant(self.rng.integers(0, 4, width), dtype)
            features = build.elementwise(
                self.choose(["subtract", "add"]), features, build.broadcast(row, features.shape)
            )
        shape = (width,) if self.rng.random() < 0.4 else (width, int(self.rng.integers(1, 4)))
        self.add(
            self.with_plain_zero(build.dot(features, build.constant(self.rng.integers(-2, 3, shape), dtype)))
        )

    def dot_of_rows(self) -> None:
        """Maps over an array of three axes, its rows times weights, maps and a fold over what that gives."""
        source = self.any(lambda n: len(n.shape) in (2, 3) and n.shape[-1] in (2, 3) and self.fits(n))
        if source is None:
            return
        lead = (
            source.shape[:-1]
            if len(source.shape) == 3
            else self.choose([(1, *source.shape[:1]), (*source.shape[:1], 1)])
        )
        width, rows = int(str(source.shape[-1])), element_count(lead)
        dtype = self.choose([np.dtype(np.float32), np.dtype(np.float64)])
        cube = self.small_whole(build.reshape(source, (*lead, width)), dtype)
        if self.rng.random() < 0.7:
            cube = self.mapped_by_row(cube)
        weights = build.constant(self.rng.integers(-2, 3, (width, int(self.rng.integers(1, 4)))), dtype)
        product = self.with_plain_zero(build.dot(build.reshape(cube, (rows, width)), weights))
        found = build.reshape(product, (*lead, *product.shape[1:]))
        if self.rng.random() < 0.7:
            found = self.mapped_by_row(found)
        self.add(found)
        axis = int(self.choose([2, 2, 2, 1]))
        if self.rng.random() < 0.5:
            self.add(self.with_plain_zero(build.reduce(self.choose(["min", "max", "sum"]), found, [axis])))
        elif 0 not in self.sizes.shape(found.shape):
            self.add(build.arg_reduce(self.choose(["argmin", "argmax"]), found, axis))

    def mapped_by_row(self, cube: Node) -> Node:
        """Small whole numbers with small whole numbers added or multiplied: a scalar, a row, or an array."""
        row = build.constant(self.rng.integers(-1, 4, cube.shape[-1:]), cube.dtype)
        by = self.choose([build.constant(2, cube.dtype), build.broadcast(row, cube.shape), cube])
        return build.elementwise(self.choose(["add", "subtract", "multiply"]), cube, by)

    def one_hot(self, column: Node, dtype: np.dtype) -> Node:
        codes = self.small_whole(column, np.dtype(np.int64))
        return build.convert(
            build.elementwise("equal", codes, build.constant(int(self.rng.integers(4)))), dtype
        )

    def forest(self) -> None:
        width = int(self.rng.integers(1, 6))
        columns = self.columns(self.choose(FLOATS[1:]), width)
        if columns:
            columns = [self.scaled(column) for column in columns]
            self.add(build.forest(build.stack(columns, 1), random_forest(self.rng, width)))

    def scaled(self, column: Node) -> Node:
        """Now and then what a scaler makes of a column."""
        if self.rng.random() < 0.6:
            return column
        by = build.constant(self.choose([-2.0, 0.5, 3.0]), column.dtype)
        return build.elementwise(
            self.choose(["subtract", "multiply", "divide"]), column, build.broadcast(by, column.shape)
        )

    def opaque(self) -> None:
        node = self.any(lambda n: len(n.shape) == 1)
        if node is not None:
            self.add(make("opaque", (node,), {"function": cumulative, "type": node.type}))


_STEPS: Mapping[str, Callable[[_Grower], None]] = {
    **{op: vars(_Grower)[op] for op in OPS if op not in SCALAR_OPS and op != "input"},
    "elementwise": _Grower.elementwise,
    "idiom": _Grower.idiom,
    "one_hot": _Grower.one_hot_dot,
    "dot_of_rows": _Grower.dot_of_rows,
}
_DRAWN = (*_STEPS, *["elementwise"] * 6, *["idiom"] * 4)


def _loop(op: str, dtypes: list[np.dtype]) -> tuple[np.dtype, ...]:
    """The dtypes of the loop NumPy runs for these; where it has none (bits of a float), for whole numbers."""
    ufunc = getattr(np, op)
    for candidate in (dtypes, [np.dtype(np.int64)] * len(dtypes), [np.dtype(np.float32), np.dtype(np.int32)]):
        try:
            found: tuple[np.dtype, ...] = ufunc.resolve_dtypes((*candidate, None))[:-1]
        except TypeError:
            continue
        return found
    raise AssertionError(f"no loop of {op} was found")


def random_forest(rng: np.random.Generator, width: int) -> ForestTables:
    """A few trees of random shape, with every kind of missing value, categorical splits, wide leaves."""
    names = ("feature", "threshold", "left", "right", "flags", "roots", "output", "leaf")
    arrays: dict[str, list[Any]] = {name: [] for name in names}
    categories: list[int] = []
    leaf_width = int(rng.choice([1, 1, 2]))

    def leaf() -> int:
        arrays["leaf"].append(np.round(rng.normal(size=leaf_width), 3).tolist())
        return ~(len(arrays["leaf"]) - 1)

    def node(depth: int) -> int:
        if depth == 0 or rng.random() < 0.2:
            return leaf()
        place = len(arrays["feature"])
        categorical = rng.random() < 0.2
        threshold = (
            float(len(categories)) if categorical else float(rng.choice([0.0, -0.0, 1.0, 0.5, -3.7, np.inf]))
        )
        categories.extend([1, int(rng.integers(0, 16))] if categorical else [])
        flags = (
            int(rng.integers(0, 3)) | int(rng.choice([0, DEFAULT_LEFT])) | (CATEGORICAL if categorical else 0)
        )
        for name, value in (("feature", rng.integers(width)), ("threshold", threshold), ("flags", flags)):
            arrays[name].append(value)
        arrays["left"].append(0)
        arrays["right"].append(0)
        arrays["left"][place] = node(depth - 1)
        arrays["right"][place] = node(depth - 1)
        return place

    outputs = leaf_width + int(rng.integers(0, 2))
    for _ in range(int(rng.integers(1, 5))):
        arrays["roots"].append(node(3))
        arrays["output"].append(int(rng.integers(outputs - leaf_width + 1)))
    base = rng.normal(0, 1, outputs)
    return ForestTables.from_arrays(
        **{name: np.array(values) for name, values in arrays.items()},
        categories=np.array(categories),
        base=base,
    )
