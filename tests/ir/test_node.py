"""Nodes are interned by bits, immutable, typed at birth, and die with their last user."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

from fuse.errors import VerifyError
from fuse.ir import build
from fuse.ir.node import Graph, Location, Node, dependencies, make, walk
from fuse.ir.types import Count, Symbol

F8 = np.dtype(np.float64)
N = Symbol("n")


def test_equal_structure_is_one_node() -> None:
    x = build.new_input(F8, (N,))
    assert build.elementwise("exp", x) is build.elementwise("exp", x)
    assert build.reduce("sum", x) is build.reduce("sum", x, [0])
    assert build.new_input(F8, (N,)) is not x


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (0.0, -0.0),
        (1, True),
        (1, 1.0),
        (np.float32(1), np.float64(1)),
        (np.int64(1), np.int32(1)),
        ([1.0], 1.0),
        ([[1.0, 2.0]], [1.0, 2.0]),
        ("a", b"a"),
    ],
)
def test_constants_that_differ_in_bits_dtype_or_shape_are_two(left: object, right: object) -> None:
    first, second = build.constant(left), build.constant(right)
    assert first is not second or (first.dtype.kind == "T" and second.dtype.kind == "T")


@pytest.mark.parametrize("value", [np.nan, -0.0, [1.0, np.nan], "text", ["a", "bc"], True, np.arange(100)])
def test_constants_of_the_same_bits_are_one(value: object) -> None:
    assert build.constant(value) is build.constant(copy.deepcopy(value))


def test_nan_payloads_are_bits_too() -> None:
    quiet = np.array(0x7FF8000000000001, np.uint64).view(F8)
    assert build.constant(quiet) is not build.constant(np.nan)


def test_attributes_keep_their_class() -> None:
    """An axis True is not an axis 1, although Python says they are equal."""
    matrix = build.new_input(F8, (2, 2))
    assert make("concatenate", (matrix,), {"axis": 1}) is not make("concatenate", (matrix,), {"axis": True})


def test_the_two_int64_of_c_are_one_dtype() -> None:
    long, long_long = np.dtype("l"), np.dtype("q")
    x = build.new_input(F8, (N,))
    assert build.convert(x, long) is build.convert(x, long_long)
    columns = [build.new_input(long, (N,)), build.new_input(long_long, (N,))]
    assert build.stack(columns, 1).dtype == np.dtype(np.int64)
    assert build.concatenate(columns).inputs == tuple(columns)


def test_a_constant_is_safe_from_its_source() -> None:
    array = np.zeros(3)
    node = build.constant(array)
    array[0] = 1
    assert node.attrs["value"].array[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        node.attrs["value"].array[0] = 1


def test_nodes_do_not_change_and_have_no_constructor() -> None:
    node = build.constant(1.0)
    with pytest.raises(AttributeError, match="immutable"):
        node.op = "iota"
    with pytest.raises(TypeError, match="interned"):
        Node("iota", (), {}, node.type)


def test_the_location_takes_no_part_in_equality() -> None:
    x = build.new_input(F8, (N,))
    first = build.elementwise("sin", x, location=Location("a.py", 1))
    assert build.elementwise("sin", x, location=Location("b.py", 2)) is first
    assert str(first.location) == "a.py:1"


def test_a_wrong_type_is_refused_with_both_types() -> None:
    with pytest.raises(VerifyError, match=r"float64.*int64|int64.*float64"):
        build.elementwise("add", build.new_input(F8, (N,)), build.new_input(np.dtype(np.int64), (N,)))


def test_pickled_and_copied_nodes_are_the_same_node() -> None:
    node = build.elementwise("exp", build.input_at(3, F8, (N,)))
    assert pickle.loads(pickle.dumps(node)) is node
    assert copy.deepcopy(node) is node


def test_unused_nodes_are_freed() -> None:
    node = build.elementwise("exp", build.new_input(F8, (N,)))
    gone = weakref.ref(node)
    del node
    gc.collect()
    assert gone() is None


def test_threads_intern_the_same_node() -> None:
    x = build.new_input(F8, (N,))
    found: list[Node] = []
    barrier = threading.Barrier(4)

    def make_all() -> None:
        barrier.wait()
        found.extend(build.elementwise("add", x, build.constant(float(i))) for i in range(200))

    threads = [threading.Thread(target=make_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 800
    assert len(set(found)) == 200


def test_walk_gives_inputs_before_users_each_once() -> None:
    x = build.new_input(F8, (N,))
    y = build.elementwise("add", build.elementwise("exp", x), x)
    nodes = list(walk([y, x]))
    assert len(nodes) == len(set(nodes)) == 3
    assert all(nodes.index(source) < nodes.index(node) for node in nodes for source in node.inputs)
    assert list(Graph((y, x)).nodes()) == nodes


def test_walk_follows_the_masks_that_lengths_count() -> None:
    mask = build.elementwise("isnan", build.new_input(F8, (N,)))
    ones = build.broadcast(build.constant(1.0), (Count(mask),))
    assert dependencies(ones) == (ones.inputs[0], mask)
    assert list(walk([ones]))[-1] is ones
    assert mask in list(walk([ones]))
    assert Graph((ones,)).inputs() == mask.inputs


def test_a_deep_graph_is_walked_without_recursion() -> None:
    value = build.new_input(F8, (N,))
    for _ in range(20_000):
        value = build.elementwise("sqrt", value)
    assert sum(1 for _ in walk([value])) == 20_001
