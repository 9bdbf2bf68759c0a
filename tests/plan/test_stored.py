"""Stored plans: the same bits as without, found only by what they depend on, and never the reason of a
failure.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import fuse
from fuse import config, engine
from fuse.errors import InternalError
from fuse.ir import build
from fuse.ir.forest import ForestTables
from fuse.ir.node import Graph, Node, walk
from fuse.ir.ops import count_of
from fuse.ir.rewrite import with_inputs
from fuse.ir.types import Symbol
from fuse.plan import stored
from fuse.plan.graph_key import NoKey, graph_key
from fuse.runtime import cache
from tests.fuzz.graphs import random_program

op = build.elementwise
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    """A cache of its own, used as a user's process does."""
    with config.config(raise_internal=False, cache="1", cache_dir=str(tmp_path)):
        yield tmp_path / "objects"


@pytest.fixture
def all_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Store the plans of small graphs too."""
    monkeypatch.setattr(stored, "SMALL", 0)


@pytest.fixture
def no_road(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Called, it makes every later attempt to plan fail."""

    def refuse(graph: object) -> None:
        raise AssertionError("the optimizer was asked")

    return lambda: monkeypatch.setattr(engine, "optimize_traced", refuse)


def again(outputs: Sequence[Node], inputs: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """The same graph over inputs of its own, as another process has it."""
    new: dict[int, Node] = {}
    for node in inputs:
        new[node.id] = build.new_input(node.dtype, node.shape)
    for node in walk(outputs):
        if node.op != "input":
            new[node.id] = with_inputs(node, tuple(new[i.id] for i in node.inputs), new)
    return [new[node.id] for node in outputs], [new[node.id] for node in inputs]


def tables(leaf: float = 2.0, threshold: float = 0.5) -> ForestTables:
    """One test, two leaves."""
    return ForestTables.from_arrays(
        feature=np.zeros(1), threshold=np.array([threshold]), left=np.array([~0]), right=np.array([~1]),
        flags=np.zeros(1), roots=np.zeros(1), output=np.zeros(1), leaf=np.array([1.0, leaf]),
        categories=np.zeros(0), base=np.zeros(1),
    )  # fmt: skip


def pipeline(rows: str = "n", factor: float = 2.0, leaf: float = 2.0) -> tuple[list[Node], list[Node]]:
    """A filter, columns, a forest, a sum over the survivors, a view and the number of survivors."""
    x, y = (build.new_input(np.dtype(float), (Symbol(rows),)) for _ in range(2))
    mask = op("greater", x, build.broadcast(build.constant(0.1), x.shape))
    a, b = build.compress(x, mask), build.compress(y, mask)
    scaled = op("multiply", a, build.broadcast(build.constant(factor), a.shape))
    for _ in range(6):
        scaled = op("sqrt", op("add", op("absolute", scaled), b))
    scores = build.column(build.forest(build.stack([scaled, b], 1), tables(leaf)), 0)
    total = build.reduce("sum", op("multiply", scores, scaled))
    ones = build.broadcast(build.constant(1.0), (count_of(mask),))
    head = build.slice_(x, ((0, 3, 1),))
    return [scores, total, op("add", b, ones), head, y], [x, y]


def arrays(seed: int = 0, rows: int = 5000) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(rows), np.abs(rng.standard_normal(rows))]


def bits(results: Sequence[np.ndarray]) -> list[tuple[object, ...]]:
    return [
        (str(a.dtype), a.shape, repr(a.tolist()) if a.dtype.kind == "T" else a.tobytes()) for a in results
    ]


def entry_of(outputs: Sequence[Node], inputs: Sequence[Node]) -> stored.Entry:
    found = stored.entry_of(Graph(tuple(outputs)), inputs)
    assert found is not None
    return found


def unkept(outputs: Sequence[Node], inputs: Sequence[Node]) -> bool:
    return stored.entry_of(Graph(tuple(outputs)), inputs) is None


def test_a_second_program_takes_the_plan_of_the_first(no_road: Callable[[], None]) -> None:
    first = engine.compile(*pipeline())
    no_road()
    second = engine.compile(*pipeline(rows="another_name"))
    for seed, rows in enumerate((5000, 40_000, 17)):
        assert bits(second.run(arrays(seed, rows))) == bits(first.run(arrays(seed, rows)))
    assert [node.op for node in second.results[3:]] == ["slice", "input"]
    assert second.results[4] is second.inputs[1]


@pytest.mark.usefixtures("all_sizes")
@pytest.mark.parametrize("start", range(0, 60, 15))
def test_random_graphs_give_the_same_bits(start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = 0
    for seed in range(start, start + 15):
        program = random_program(seed)
        graph = list(program.outputs), list(program.inputs)
        bound = program.bindings(program.graph)
        values = [bound.get(node) for node in program.inputs]
        if any(value is None for value in values):
            continue
        first = engine.compile(*graph)
        want = _outcome(first, values)
        with monkeypatch.context() as poisoned:
            if _is_stored(*graph):
                poisoned.setattr(engine, "optimize_traced", None)
                taken += 1
            second = engine.compile(*again(*graph))
            assert _outcome(second, values) == want, str(program)
    assert taken >= 8


def _is_stored(outputs: Sequence[Node], inputs: Sequence[Node]) -> bool:
    entry = stored.entry_of(Graph(tuple(outputs)), inputs)
    return entry is not None and cache.get(entry.key) is not None


def _outcome(program: engine.Program, values: Sequence[np.ndarray]) -> object:
    try:
        return bits(program.run(values))
    except (InternalError, IndexError) as error:
        return type(error)


def test_explain_walks_the_road(no_road: Callable[[], None]) -> None:
    first, second = engine.compile(*pipeline()), engine.compile(*pipeline())
    assert [str(note) for note in second.notes] == [str(note) for note in first.notes]
    assert len(second.plan.steps) == len(first.plan.steps)
    assert second.optimized.outputs == second.plan.outputs


def test_explain_walks_the_road_of_the_settings_then() -> None:
    for _ in range(2):
        with config.config(schedule={"forest=walk"}, disable={"simplify"}):
            program = engine.compile(*pipeline())
    assert "strategy='walk'" in repr(program.plan.steps)
    assert not any(str(note).startswith("simplify:") for note in program.notes)


DAMAGES = {
    "truncated": lambda content: content[:-20],
    "empty": lambda content: b"",
    "flipped": lambda content: content[:200] + bytes([content[200] ^ 255]) + content[201:],
    "not a plan": lambda content: pickle.dumps(("no", "plan")),
    "text": lambda content: b"something else",
}


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.parametrize("below_the_digest", [False, True])
def test_a_damaged_entry_means_plan_anew(name: str, below_the_digest: bool) -> None:
    graph = pipeline()
    want = bits(engine.compile(*graph).run(arrays()))
    entry = entry_of(*graph)
    content = cache.get(entry.key)
    assert content is not None
    damaged = DAMAGES[name](content)
    if below_the_digest:
        store = cache._store()
        assert store is not None
        path = store.path(entry.key)
        path.write_bytes(path.read_bytes()[: -len(content)] + damaged)
    else:
        cache.put(entry.key, damaged)
    assert bits(engine.compile(*again(*graph)).run(arrays())) == want
    assert entry.load() is not None, "the entry was not written again"


class _Call:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.environ["FUSE_TEST_MADE"],)


def test_an_entry_names_classes_of_fuse_and_numpy_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "made"
    monkeypatch.setenv("FUSE_TEST_MADE", str(made))
    entry = entry_of(*pipeline())
    cache.put(entry.key, pickle.dumps(_Call()))
    assert entry.load() is None
    assert not made.exists()


@pytest.mark.usefixtures("all_sizes")
def test_a_plan_of_other_outputs_is_refused() -> None:
    graph = pipeline()
    entry = entry_of(*graph)
    single = [op("sqrt", graph[1][0])]
    other = engine.compile(single, graph[1])
    stored.Entry(entry.key, entry.inputs, entry.symbols, tuple(single)).store(other.plan)
    assert cache.get(entry.key) is not None
    assert entry.load() is None


def keys_of(*graphs: tuple[Sequence[Node], Sequence[Node]]) -> set[str]:
    return {entry_of(*graph).key for graph in graphs}


@pytest.mark.usefixtures("all_sizes")
def test_the_key_is_that_of_the_structure() -> None:
    graph = pipeline()
    assert len(keys_of(graph, again(*graph), pipeline(rows="m"))) == 1


def test_other_bits_of_a_constant_are_another_key() -> None:
    signed = [pipeline(factor=factor) for factor in (0.0, -0.0, 2.0, np.nan, -np.nan)]
    assert len(keys_of(*signed, pipeline(leaf=3.0))) == 6


@pytest.mark.usefixtures("all_sizes")
def test_shapes_dtypes_and_the_order_of_inputs_are_in_the_key() -> None:
    def graph(dtypes: str, rows: str, order: Sequence[int] = (0, 1)) -> tuple[list[Node], list[Node]]:
        pairs = zip(dtypes, rows, strict=True)
        x, y = (build.new_input(np.dtype(kind), (Symbol(n),)) for kind, n in pairs)
        inputs = [x, y]
        return [op("sqrt", x), op("sqrt", y)], [inputs[place] for place in order]

    graphs = [graph("dd", "nn"), graph("dd", "nm"), graph("fd", "nn"), graph("df", "nn")]
    swapped = graph("fd", "nn", (1, 0))
    assert len(keys_of(*graphs, swapped)) == 5


def test_settings_are_in_the_key() -> None:
    changes = [
        {}, {"disable": {"simplify"}}, {"schedule": {"forest=walk"}}, {"target": "x86-64-v3"},
    ]  # fmt: skip
    graph = pipeline()
    found = set()
    for change in changes:
        with config.config(**change):
            found.add(entry_of(*graph).key)
    assert len(found) == len(changes)


def test_forced_forests_stay_forced() -> None:
    engine.compile(*pipeline())
    with config.config(schedule={"forest=walk"}):
        walk = engine.compile(*pipeline())
        second = engine.compile(*pipeline())
    texts = [repr(program.runner.plan.steps) for program in (walk, second)]
    assert all("strategy='walk'" in text for text in texts)


@pytest.mark.parametrize(
    "change", [{"cache": "0"}, {"raise_internal": True}, {"dump": {"kernels"}}], ids=["off", "raise", "dump"]
)
def test_settings_that_walk_the_road(change: dict[str, object]) -> None:
    graph = pipeline()
    with config.config(**change):
        assert unkept(*graph)


def test_a_readonly_cache_is_read_and_not_written(folder: Path, no_road: Callable[[], None]) -> None:
    with config.config(cache="readonly"):
        engine.compile(*pipeline())
        assert not folder.exists()
    engine.compile(*pipeline())
    before = sorted(folder.iterdir())
    no_road()
    with config.config(cache="readonly"):
        engine.compile(*pipeline())
    assert sorted(folder.iterdir()) == before


def test_small_graphs_are_not_stored(folder: Path) -> None:
    x = build.new_input(np.dtype(float), (Symbol("n"),))
    engine.compile([op("sqrt", x)], [x])
    assert not folder.exists()


def test_a_call_into_a_library_has_no_key() -> None:
    x = build.new_input(np.dtype(float), (Symbol("n"),))
    with pytest.raises(NoKey):
        graph_key(Graph((stored.hole(x.type),)), [x])
    with pytest.raises(NoKey):
        graph_key(Graph((op("sqrt", x),)), [])


def test_threads_that_race_lose_nothing(folder: Path) -> None:
    graphs = [pipeline() for _ in range(8)]
    want = bits(engine.compile(*pipeline(factor=2.0)).run(arrays()))
    for file in folder.iterdir():
        file.unlink()
    with ThreadPoolExecutor(8) as pool:
        settings = config.current()

        def compiled(graph: tuple[list[Node], list[Node]]) -> engine.Program:
            with config.config(raise_internal=False, cache="1", cache_dir=settings.cache_dir):
                return engine.compile(*graph)

        programs = list(pool.map(compiled, graphs))
    assert all(bits(program.run(arrays())) == want for program in programs)
    assert not list(folder.glob("*.part"))
    assert entry_of(*pipeline()).load() is not None


SCRIPT = """
import hashlib, sys
import numpy as np
import fuse
from fuse import engine

@fuse.jit
def work(x, y):
    kept = x[x > 0.25]
    z = np.sqrt(np.abs(x * 3 - y)) + np.log1p(y) * np.exp(-x) + np.where(x > y, x / (y + 1), y - x)
    return z, kept, z.sum(), (x * y).mean(), x.reshape(-1, 2)

if sys.argv[1] == "refuse":
    engine.optimize_traced = None
rng = np.random.default_rng(0)
found = work(rng.random(20_000), rng.random(20_000))
print(work.stats().recorded, *(hashlib.sha256(np.asarray(a).tobytes()).hexdigest() for a in found))
"""


def run_script(script: Path, cache_dir: Path, mode: str) -> str:
    environment = {**os.environ, "FUSE_CACHE_DIR": str(cache_dir), "FUSE_CACHE": "1", "PYTHONPATH": str(ROOT)}
    environment.pop("FUSE_RAISE_INTERNAL", None)
    command = [sys.executable, str(script), mode]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout


def test_a_second_process_neither_optimizes_nor_plans(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    first = run_script(script, tmp_path / "cache", "plan")
    assert run_script(script, tmp_path / "cache", "refuse") == first


def test_results_of_a_jitted_function_are_its_own(no_road: Callable[[], None]) -> None:
    """A result that is an argument's memory is copied, with a stored plan too."""

    def work(x: np.ndarray) -> tuple[np.ndarray, ...]:
        z = np.sqrt(x * 2 + 1) * np.log1p(x) + np.exp(-x) - np.where(x > 0.5, x * x, 1 / (x + 1))
        return z, x[::2], x, x.reshape(-1, 2)

    x = np.random.default_rng(0).random(20_000)
    with fuse.config(min_rows=2):
        first = fuse.jit(work)(x)
        no_road()
        second = fuse.jit(work)(x)
    assert bits(second) == bits(first)
    assert [np.shares_memory(x, found) for found in second] == [np.shares_memory(x, f) for f in first]
    assert not np.shares_memory(x, second[1])
