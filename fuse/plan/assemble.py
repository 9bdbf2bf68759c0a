"""From a group of roots over one domain to one kernel: stages, tiles and sinks.

Each value has a phase: how many special stages (trees, matrix products) must run before it. Values of one
phase and track share a `Map`; a value that a later phase needs passes through a tile buffer, unless loading
it again is free. A filtered reduction with a cheap body computes every row and masks (`Reduction.predicate`);
everything else behind a filter runs on the compacted rows, track `KEPT`.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fuse.ir.forest import ForestTables
from fuse.ir.node import ConstantArray, Node
from fuse.ir.scalar_ops import SCALAR_OPS
from fuse.plan import forest_layout
from fuse.plan.classify import (
    as_column,
    as_outer,
    as_stored_column,
    as_text_comparison,
    column_table,
    operands,
    role_of,
)
from fuse.plan.cost import operation_cost
from fuse.plan.forest_layout import ForestLayout, Strategy
from fuse.plan.kernels import (
    BASE,
    KEPT,
    ArgReduce,
    Buffer,
    Compaction,
    CompareText,
    Dot,
    Forest,
    Instruction,
    Kernel,
    LoadMatrix,
    Map,
    Reduction,
    Stage,
)
from fuse.plan.placement import Domain, Placement
from fuse.plan.schedule import (
    choose_schedule,
    schedule_forest,
    schedule_pairs,
    schedule_scan,
    schedule_steps,
)
from fuse.plan.steps import Binding, KernelStep

MANY_COLUMNS = 4
"""From this many columns of one matrix on, its rows are read once, as they lie, and not column by column."""
PREDICATE_LIMIT = 60.0
"""Operations a row below which a filtered reduction computes all rows and masks, instead of compacting first.
"""


@dataclass
class _Draft:
    """A `Map` being filled, and the special stages behind it."""

    body: list[Instruction] = field(default_factory=list)
    tiles: dict[int, int] = field(default_factory=dict)
    stores: list[tuple[int, int]] = field(default_factory=list)
    reductions: list[Reduction] = field(default_factory=list)
    compaction: Compaction | None = None
    ahead: list[Stage] = field(default_factory=list)
    behind: list[Stage] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.tiles or self.stores or self.reductions or self.compaction)


_SPECIAL = frozenset({"forest", "dot", "arg_reduce"})
"""Ops that, fused, are a stage of their own."""

Key = tuple[Node, str]


class _Assembly:
    """The state of assembling one kernel."""

    def __init__(self, placement: Placement, domain: Domain) -> None:
        self.placement, self.domain = placement, domain
        self.drafts: dict[tuple[str, int], _Draft] = {}
        self.buffers: list[Buffer] = []
        self.bindings: list[Binding] = []
        self.tile_dtypes: list[np.dtype] = []
        self.values: dict[tuple[Node, str, int], int] = {}
        self.phases: dict[Key, int] = {}
        self.tiles: dict[Key, int] = {}
        self.matrices: dict[Key, tuple[int, int]] = {}
        self.kept_columns: dict[Node, int] = {}
        self.left_tiles: dict[Key, tuple[int, int]] = {}
        self.extra_scratch = self.forest_rows = 0
        self.columns_of: dict[Node, tuple[int, ...]] = {}

    # Values

    def phase(self, node: Node, track: str) -> int:
        """How many special stages of the track lie before this value. Fills in all values below; no
        recursion.
        """
        pending = [node]
        while pending:
            current = pending[-1]
            needed = [] if (current, track) in self.phases else self._sources(current, track)
            missing = [source for source in needed if (source, track) not in self.phases]
            if missing:
                pending.extend(missing)
                continue
            pending.pop()
            if (current, track) not in self.phases:
                self.phases[current, track] = self._phase(current, track, needed)
        return self.phases[node, track]

    def _phase(self, node: Node, track: str, sources: Sequence[Node]) -> int:
        before = max((self.phases[source, track] for source in sources), default=0)
        return before + 1 if node.op in _SPECIAL and role_of(node) == "fused" else before

    def _sources(self, node: Node, track: str) -> list[Node]:
        """The values of the track that this one is computed from, inside this loop."""
        if self._is_leaf(node) or _reads_memory(node):
            return []
        if node.op == "compress":
            return [node.inputs[0]] if track == BASE else []
        if node.op in ("forest", "dot"):
            left = node.inputs[0]
            return list(left.inputs) if self._is_fused_stack(left) else []
        outer = as_outer(node)
        if outer is not None:
            return list(outer.rows.values())
        if node.op == "gather":
            return [node.inputs[1]]
        return [operand for operand in operands(node) if not operand.type.is_scalar]

    def _is_leaf(self, node: Node) -> bool:
        return role_of(node) != "fused" or (self.placement.is_read(node) and node not in self.roots)

    def _is_fused_stack(self, node: Node) -> bool:
        return node.op == "stack" and role_of(node) == "fused" and not self._is_leaf(node)

    roots: frozenset[Node] = frozenset()

    def value(self, node: Node, track: str, phase: int) -> int:
        """The register that holds a node in the map of this track and phase."""
        pending = [(node, phase)]
        while pending:
            current, at = pending[-1]
            if (current, track, at) in self.values:
                pending.pop()
                continue
            missing = [
                need
                for need in self._needs(current, track, at)
                if (need[0], track, need[1]) not in self.values
            ]
            if missing:
                pending.extend(missing)
                continue
            pending.pop()
            self.values[current, track, at] = self._emit(current, track, at)
        return self.values[node, track, phase]

    def _needs(self, node: Node, track: str, at: int) -> list[tuple[Node, int]]:
        if node.type.is_scalar or self._is_leaf(node) or _reads_memory(node):
            return []
        made = self.phase(node, track)
        if _column_of(node) is not None or (node.op == "compress" and track == KEPT):
            return []
        if made < at and node.op != "iota":
            return [(node, made)]
        if node.op == "compress":
            return [(node.inputs[0], at)]
        sources = node.inputs[1:] if node.op == "gather" else node.inputs
        return [(source, at) for source in sources]

    def _emit(self, node: Node, track: str, at: int) -> int:
        draft = self.draft(track, at)
        if node.type.is_scalar:
            return self._add(draft, Instruction("uniform", (), node.dtype, self.buffer("uniform", node)))
        if self._is_leaf(node):
            return self._add(draft, Instruction("load", (), node.dtype, self.buffer("load", node)))
        if as_text_comparison(node) is not None:
            return self._add(draft, Instruction("tile", (), node.dtype, self.text_comparison(node, track)))
        if as_stored_column(node) is not None:
            return self.stored_column(draft, node, track)
        column = _column_of(node)
        if column is not None:
            first, _ = self.matrix(column[0], track)
            return self._add(draft, Instruction("tile", (), node.dtype, first + column[1]))
        if node.op == "compress" and track == KEPT:
            return self._add(draft, Instruction("tile", (), node.dtype, self.kept(node)))
        made = self.phase(node, track)
        if made < at and node.op != "iota":
            return self._add(draft, Instruction("tile", (), node.dtype, self.tile(node, track)))
        return self._compute(draft, node, track, at)

    def _compute(self, draft: _Draft, node: Node, track: str, at: int) -> int:
        if node.op == "compress":
            return self.values[node.inputs[0], track, at]
        if node.op == "iota":
            return self._add(draft, Instruction("position", (), node.dtype))
        if node.op == "broadcast":
            return self.values[node.inputs[0], track, at]
        if node.op == "scan":
            source = self.values[node.inputs[0], track, at]
            carried = self.new_tiles(node.dtype, 1) if self.domain.steps else None
            return self._add(draft, Instruction("scan", (source,), node.dtype, (node.attrs["kind"], carried)))
        if node.op == "gather":
            index = self.values[node.inputs[1], track, at]
            table = self.buffer("table", node.inputs[0])
            return self._add(draft, Instruction("gather", (index,), node.dtype, (table, node.attrs["mode"])))
        sources = [self.values[source, track, at] for source in node.inputs]
        for place in immediate_operands(node):
            literal = int(node.inputs[place].attrs["value"].array)
            sources[place] = self._add(draft, Instruction("literal", (), node.inputs[place].dtype, literal))
        return self._add(draft, Instruction(node.op, tuple(sources), node.dtype))

    def _add(self, draft: _Draft, instruction: Instruction) -> int:
        draft.body.append(instruction)
        return len(draft.body) - 1

    # Tiles

    def draft(self, track: str, phase: int) -> _Draft:
        return self.drafts.setdefault((track, phase), _Draft())

    def new_tiles(self, dtype: np.dtype, count: int) -> int:
        """The first of `count` consecutive tile buffers."""
        self.tile_dtypes.extend([dtype] * count)
        return len(self.tile_dtypes) - count

    def tile(self, node: Node, track: str) -> int:
        """The tile buffer in which a value passes on to later phases."""
        if (node, track) not in self.tiles:
            tile = self.tiles[node, track] = self.new_tiles(node.dtype, 1)
            self.put(node, track, tile)
        return self.tiles[node, track]

    def put(self, node: Node, track: str, tile: int) -> None:
        """Store a value to a tile in the map that computes it."""
        phase = self.phase(node, track)
        value = self.value(node, track, phase)
        self.draft(track, phase).tiles[tile] = value

    def kept(self, node: Node) -> int:
        """The tile that receives the rows of a filtered value."""
        if node not in self.kept_columns:
            self.kept_columns[node] = self.new_tiles(node.dtype, 1)
        return self.kept_columns[node]

    # Special stages

    def matrix(self, node: Node, track: str) -> tuple[int, int]:
        """The first result tile and the number of columns of a forest or a matrix product."""
        if (node, track) not in self.matrices:
            phase = self.phase(node, track) - 1
            if node.op == "arg_reduce":
                self.matrices[node, track] = self._arg_reduce(node, track, phase), 1
                return self.matrices[node, track]
            left, width = self._left_tiles(node, track, phase)
            emit = self._forest if node.op == "forest" else self._dot
            self.matrices[node, track] = emit(node, track, phase, left, width)
        return self.matrices[node, track]

    def _left_tiles(self, node: Node, track: str, phase: int) -> tuple[int, int]:
        left = node.inputs[0]
        width = int(left.shape[1])
        if (left, track) in self.left_tiles and self.left_tiles[left, track][0] <= phase:
            return self.left_tiles[left, track][1], width
        first = self.new_tiles(left.dtype, width)
        self.left_tiles[left, track] = phase, first
        if not self._is_fused_stack(left):
            self.draft(track, phase).behind.append(self._load(left, range(width), track, first))
            return first, width
        for number, column in enumerate(left.inputs):
            self.put(column, track, first + number)
        return first, width

    def _load(self, matrix: Node, columns: Sequence[int], track: str, first: int) -> LoadMatrix:
        """The stage that brings columns of a matrix in memory to tiles."""
        chosen = self.table(ConstantArray(np.array(columns, np.int64)))
        return LoadMatrix(track, self.buffer("table", matrix), chosen, len(columns), first)

    def stored_column(self, draft: _Draft, node: Node, track: str) -> int:
        """A column of a matrix in memory: read with a stride, or with its neighbours through tiles if
        many.
        """
        found = as_stored_column(node)
        assert found is not None
        matrix, column = found
        columns = self.columns_of.get(matrix, ())
        if len(columns) < MANY_COLUMNS:
            return self._add(draft, Instruction("load", (), node.dtype, self.buffer("load", matrix, column)))
        tile = self._loaded_column(matrix, column, track)
        return self._add(draft, Instruction("tile", (), node.dtype, tile))

    def _loaded_column(self, matrix: Node, column: int, track: str) -> int:
        columns = self.columns_of[matrix]
        if (matrix, track) not in self.matrices:
            first = self.new_tiles(matrix.dtype, len(columns))
            self.matrices[matrix, track] = first, len(columns)
            self.draft(track, 0).ahead.append(self._load(matrix, columns, track, first))
        return self.matrices[matrix, track][0] + columns.index(column)

    def _row_tile(self, node: Node, track: str) -> int:
        """The tile with a value of every row, without copying one that is brought to tiles anyway."""
        found = as_stored_column(node)
        if found is not None and len(self.columns_of.get(found[0], ())) >= MANY_COLUMNS:
            return self._loaded_column(*found, track)
        return self.tile(node, track)

    def _arg_reduce(self, node: Node, track: str, phase: int) -> int:
        outer = as_outer(node)
        assert outer is not None
        body: list[Instruction] = []
        places: dict[Node, int] = {}
        for part in outer.body:
            if part in outer.rows:
                made = Instruction("tile", (), part.dtype, self._row_tile(outer.rows[part], track))
            elif part in outer.columns:
                made = Instruction("column", (), part.dtype, self._column_buffer(outer.columns[part]))
            elif part in outer.scalars:
                made = Instruction("uniform", (), part.dtype, self.buffer("uniform", outer.scalars[part]))
            else:
                made = Instruction(part.op, tuple(places[source] for source in part.inputs), part.dtype)
            places[part] = len(body)
            body.append(made)
        length = next(int(str(i.attr)) for i in body if i.op == "column")
        result = self.new_tiles(node.dtype, 1)
        stage = ArgReduce(track, node.attrs["kind"], tuple(body), length, result)
        self.draft(track, phase).behind.append(stage)
        return result

    def _column_buffer(self, column: Node) -> int:
        matrix, number = column_table(column)
        return self.buffer("table", matrix, number)

    def _forest(self, node: Node, track: str, phase: int, left: int, width: int) -> tuple[int, int]:
        layout = _forest_layout(node.attrs["tables"], node.inputs[0].dtype, self.placement.forest)
        self.extra_scratch = max(self.extra_scratch, layout.scratch_bytes)
        self.forest_rows = max(self.forest_rows, layout.code.tile)
        sizes = {name: ConstantArray(np.array([size], np.int64)) for name, size in layout.sizes.items()}
        tables = tuple((name, self.table(array)) for name, array in {**layout.arrays, **sizes}.items())
        outputs = int(node.attrs["outputs"])
        result = self.new_tiles(node.dtype, outputs)
        self.draft(track, phase).behind.append(Forest(track, left, tables, layout.code, result, outputs))
        return result, outputs

    def _dot(self, node: Node, track: str, phase: int, left: int, width: int) -> tuple[int, int]:
        right = node.inputs[1]
        outputs = int(right.shape[1]) if right.type.rank == 2 else 1
        result = self.new_tiles(node.dtype, outputs)
        table = self.buffer("table", right)
        self.draft(track, phase).behind.append(Dot(track, left, table, width, outputs, result))
        return result, outputs

    def text_comparison(self, node: Node, track: str) -> int:
        """The tile with the truth of a comparison of text; it is filled before anything else of the track."""
        if (node, track) not in self.tiles:
            found = as_text_comparison(node)
            assert found is not None
            relation, column, constant = found
            content = str(constant.attrs["value"].array[()]).encode()
            text = self.table(ConstantArray(np.frombuffer(content, np.uint8)))
            offsets = self._new_buffer(Buffer(np.dtype(np.int64), "table"), Binding("offsets", column))
            data = self._new_buffer(Buffer(np.dtype(np.uint8), "table"), Binding("data", column))
            tile = self.tiles[node, track] = self.new_tiles(node.dtype, 1)
            self.draft(track, 0).ahead.append(CompareText(track, relation, offsets, data, text, tile))
        return self.tiles[node, track]

    # Buffers

    def buffer(self, role: str, node: Node, column: int | None = None) -> int:
        """The buffer of a node's array in this role; one for each pair."""
        binding = Binding("value", node, column)
        for number, (known, buffer) in enumerate(zip(self.bindings, self.buffers, strict=True)):
            if known.node is node and known.column == column and buffer.role == role:
                return number
        return self._new_buffer(Buffer(node.dtype, role), binding)  # type: ignore[arg-type]  # role is one of Role

    def table(self, array: ConstantArray) -> int:
        """The buffer of an array known to the plan."""
        return self._new_buffer(Buffer(array.array.dtype, "table"), Binding("table", table=array))

    def _new_buffer(self, buffer: Buffer, binding: Binding) -> int:
        self.buffers.append(buffer)
        self.bindings.append(binding)
        return len(self.buffers) - 1

    # Sinks

    def add_root(self, root: Node) -> None:
        """Compute a root and send it where it belongs."""
        if role_of(root) == "reduce":
            self._reduce(root)
            return
        track = KEPT if self.domain.mask is not None and self._has_kept_rows(root) else BASE
        if root.op in _SPECIAL:
            first, width = self.matrix(root, track)
            phase = self.phase(root, track)
            draft = self.draft(track, phase)
            for j in range(width):
                value = self._add(draft, Instruction("tile", (), root.dtype, first + j))
                self._store(root, track, phase, value, j if root.type.rank == 2 else None)
        elif root.op == "stack" and root.type.rank == 2:
            for j, column in enumerate(root.inputs):
                phase = self.phase(column, track)
                self._store(root, track, phase, self.value(column, track, phase), j)
        else:
            phase = self.phase(root, track)
            self._store(root, track, phase, self.value(root, track, phase), None)

    def _has_kept_rows(self, root: Node) -> bool:
        return root.op == "compress" or self.placement.is_kept(root)

    def _store(self, root: Node, track: str, phase: int, value: int, column: int | None) -> None:
        buffer = self.buffer("append" if track == KEPT else "store", root, column)
        self.draft(track, phase).stores.append((value, buffer))

    def _reduce(self, root: Node) -> None:
        source = root.inputs[0]
        kept = self.domain.mask is not None and self.placement.is_kept(source)
        predicated = kept and self._is_cheap(source)
        track = KEPT if kept and not predicated else BASE
        phase = self.phase(source, track)
        mask = None
        if predicated:
            assert self.domain.mask is not None
            phase = max(phase, self.phase(self.domain.mask, BASE))
            mask = self.value(self.domain.mask, track, phase)
        value = self.value(source, track, phase)
        partial = self.buffer("partial", root)
        tiles = self._carried(root) if self.domain.steps else ()
        self.draft(track, phase).reductions.append(
            Reduction(root.attrs["kind"], value, partial, mask, *tiles)
        )

    def _carried(self, root: Node) -> tuple[int, int | None]:
        """The tiles of a fold in a kernel of steps. NumPy adds up a row in pairs, so a sum of few elements of
        a row keeps what it rounds off; along other axes NumPy adds one after the other too.
        """
        wide = np.dtype(np.float32) if root.dtype == np.float16 else root.dtype
        in_row = max(self.domain.steps) == len(self.domain.shape) - 1
        compensated = in_row and root.attrs["kind"] == "sum" and wide.kind == "f"
        return self.new_tiles(wide, 1), self.new_tiles(wide, 1) if compensated else None

    def _is_cheap(self, source: Node) -> bool:
        body = self.placement.body(source) if self.placement.is_read(source) is False else []
        return sum(operation_cost(node) for node in body) <= PREDICATE_LIMIT

    # The end

    def finish(self) -> tuple[Stage, ...]:
        """The stages in order; the compaction stands at the end of the last base map that it needs."""
        if any(track == KEPT for track, _ in self.drafts):
            self._compact()
        stages: list[Stage] = []
        for track, phase in sorted(self.drafts):
            draft = self.drafts[track, phase]
            stages.extend(draft.ahead)
            if not draft.is_empty:
                tiles = tuple((value, tile) for tile, value in draft.tiles.items())
                sinks = (tiles, tuple(draft.stores), tuple(draft.reductions), draft.compaction)
                stages.append(Map(track, tuple(draft.body), *sinks))
            stages.extend(draft.behind)
        return tuple(stages)

    def _compact(self) -> None:
        mask = self.domain.mask
        assert mask is not None
        sources = [node.inputs[0] for node in self.kept_columns]
        phase = max(self.phase(node, BASE) for node in (mask, *sources))
        columns = tuple(
            (self.value(node.inputs[0], BASE, phase), tile) for node, tile in self.kept_columns.items()
        )
        self.draft(BASE, phase).compaction = Compaction(self.value(mask, BASE, phase), columns)


def _columns_read(body: Iterable[Node]) -> dict[Node, tuple[int, ...]]:
    """For each matrix in memory, which of its columns a body reads."""
    found: dict[Node, set[int]] = {}
    for node in body:
        column = as_stored_column(node)
        if column is not None:
            found.setdefault(column[0], set()).add(column[1])
    return {matrix: tuple(sorted(columns)) for matrix, columns in found.items()}


def _reads_memory(node: Node) -> bool:
    """Whether a fused node has no operand in the loop, only arrays that it reads."""
    return as_text_comparison(node) is not None or as_stored_column(node) is not None


def _column_of(node: Node) -> tuple[Node, int] | None:
    """`(matrix, j)` when the node is a column of a special stage's result; a product by a vector is its only
    one.
    """
    return (node, 0) if node.op in ("dot", "arg_reduce") and node.type.rank == 1 else as_column(node)


def immediate_operands(node: Node) -> tuple[int, ...]:
    """Operands that go into the code, so that LLVM turns a division by a constant into a multiplication."""
    row = SCALAR_OPS.get(node.op)
    places = row.immediate if row is not None else ()
    return tuple(p for p in places if node.inputs[p].op == "constant" and node.inputs[p].dtype.kind in "iu")


def assemble(placement: Placement, domain: Domain, roots: Sequence[Node]) -> KernelStep:
    """The kernel that computes these roots in one pass over the domain."""
    assembly = _Assembly(placement, domain)
    assembly.roots = frozenset(root for root in roots if role_of(root) == "fused")
    body = {node: None for root in roots for node in placement.body(root)}
    assembly.columns_of = _columns_read(body)
    for root in roots:
        assembly.add_root(root)
    stages = assembly.finish()
    cost = sum(operation_cost(node) for node in body)
    dtypes = [i.dtype for stage in stages if isinstance(stage, Map) for i in stage.body]
    longest = max((len(stage.body) for stage in stages if isinstance(stage, Map)), default=0)
    map_cost = sum(operation_cost(node) for node in body if node.op not in _SPECIAL)
    reduces = any(stage.reductions for stage in stages if isinstance(stage, Map))
    adds = any(r.attrs["kind"] in ("sum", "prod") and r.dtype.kind == "f" for r in roots if r.op == "reduce")
    schedule = choose_schedule(dtypes, map_cost, longest, len(assembly.tile_dtypes), adds)
    row_bytes = sum(dtype.itemsize for dtype in assembly.tile_dtypes)
    if assembly.forest_rows:
        schedule = schedule_forest(schedule, assembly.forest_rows, row_bytes, reduces)
    elif any(isinstance(stage, ArgReduce) for stage in stages):
        schedule = schedule_pairs(schedule, row_bytes, adds)
    if domain.steps:
        schedule = schedule_steps(schedule, row_bytes, domain.columns, domain.scanned is not None)
    elif domain.scanned is not None:
        schedule = schedule_scan(schedule)
    kernel = Kernel(stages, tuple(assembly.buffers), tuple(assembly.tile_dtypes), schedule)
    return KernelStep(kernel, domain, tuple(assembly.bindings), tuple(roots), cost, assembly.extra_scratch)


_layouts: weakref.WeakKeyDictionary[ForestTables, dict[tuple[Any, ...], ForestLayout]] = (
    weakref.WeakKeyDictionary()
)
"""Layouts live as long as the tables that they were made from; both may be large."""


def _forest_layout(tables: ForestTables, dtype: np.dtype, strategy: Strategy | None) -> ForestLayout:
    known = _layouts.setdefault(tables, {})
    if (dtype, strategy) not in known:
        known[dtype, strategy] = forest_layout.layout(tables, dtype, strategy)
    return known[dtype, strategy]
