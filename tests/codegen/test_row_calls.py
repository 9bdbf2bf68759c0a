"""What a row function takes and gives: every kind of field, every form of a result, and every odd row."""

from __future__ import annotations

import datetime as dt
import gc
import itertools
import math
import sys
import threading
import tracemalloc
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fuse.execution.row import Field, Guard, Record, Result, compile_row
from fuse.ir import build
from fuse.ir.node import Node
from fuse.ir.types import STRING, Symbol
from fuse.plan.row_program import NoRow
from tests.execution.row_harness import WentSlow, loaded

N = Symbol("n")
op = build.elementwise
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
KINDS = ["float64", "float32", *INTEGERS, "bool"]
SLOW = object()


def column(slot: int, dtype: str | np.dtype = "float64") -> Node:
    return build.input_at(slot, np.dtype(dtype), (N,))


def single(kind: str, dtype: str | None = None, **field: Any) -> Callable[[Any], Any]:
    """A function that gives a field's value back; a date as its number."""
    node = column(0, dtype or kind)
    output = build.bitcast(node, np.int64) if node.dtype.kind in "mM" else node
    return loaded(compile_row([output], [node], [Field("x", kind, 0, **field)], Result(0)))


def taken(function: Callable[[Any], Any], value: Any) -> Any:
    """The result by dict, tuple and list, which agree; SLOW when the value is none that the kind takes."""
    rows: list[Any] = [{"x": value}, (value,), [value]]
    found = []
    for row in rows:
        try:
            found.append(function(row))
        except WentSlow:
            found.append(SLOW)
    assert repr(found[0]) == repr(found[1]) == repr(found[2])
    return found[0]


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_that_fit(kind: str) -> None:
    function, limits = single(kind), np.iinfo(kind)
    for value in (0, 1, limits.min, limits.max):
        result = taken(function, int(value))
        assert type(result) is int
        assert result == value
    for value in (limits.min - 1, limits.max + 1, 1 << 80, -(1 << 80), True, 1.0, None, "1", np.int64(1)):
        assert taken(function, int(value) if type(value) is int else value) is SLOW


@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_floats_and_what_becomes_one(kind: str) -> None:
    function, dtype = single(kind), np.dtype(kind).type
    for value in (0.0, -0.0, 0.1, -math.inf, 1e300, 5e-324, 7, -(1 << 53), (1 << 24) + 1):
        with np.errstate(over="ignore", under="ignore"):
            expected = float(dtype(value))
        result = taken(function, value)
        assert type(result) is float
        assert result.hex() == expected.hex()
    assert math.isnan(taken(function, None))
    assert math.isnan(taken(function, math.nan))
    for value in (True, "1.0", 10**400, np.float64(1.0), 1j):
        assert taken(function, value) is SLOW


def test_large_integers_round_once() -> None:
    assert taken(single("float64"), (1 << 60) + 3) == float((1 << 60) + 3)
    assert taken(single("float32"), (1 << 60) + 3) is SLOW


def test_bools_are_bools() -> None:
    function = single("bool")
    assert taken(function, True) is True
    assert taken(function, False) is False
    for value in (1, 0, None, "True", np.True_):
        assert taken(function, value) is SLOW


@pytest.mark.parametrize("labels", [("rome", "oslo", "Ωmega"), (3, -1, 1 << 40), (0.5, -2.0), (False, True)])
@pytest.mark.parametrize("dtype", ["int8", "int16", "int64"])
def test_categories_are_codes(labels: tuple[Any, ...], dtype: str) -> None:
    function = single("category", dtype, labels=labels)
    assert [taken(function, label) for label in labels] == list(range(len(labels)))
    assert taken(function, None) == -1
    if type(labels[0]) is not bool:
        assert taken(function, type(labels[0])(77)) == -1
    for other in ("x", 5, 1.5, True, [1]):
        if type(other) is not type(labels[0]):
            assert taken(function, other) is SLOW


def test_labels_of_several_types_have_no_code() -> None:
    node = column(0, "int8")
    with pytest.raises(NoRow, match="labels"):
        compile_row([node], [node], [Field("x", "category", 0, labels=("a", 1))], Result(0))


DATES = [
    dt.datetime(1970, 1, 1), dt.datetime(2000, 2, 29, 23, 59, 59), dt.datetime(1969, 12, 31, 23, 0, 1),
    dt.datetime(1900, 3, 1, 5), dt.datetime(2024, 12, 31, 1, 2, 3, 456789), dt.datetime(1, 1, 1),
    dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.datetime(2100, 2, 28), dt.datetime(1600, 2, 29),
]  # fmt: skip
UNITS = ("ns", "us", "ms", "s", "m", "h", "D")


@pytest.mark.parametrize("unit", UNITS)
def test_dates_in_a_unit_that_can_tell_them(unit: str) -> None:
    function = single(f"datetime64[{unit}]")
    for date in DATES:
        wanted = np.datetime64(date, "us").astype(f"datetime64[{unit}]")
        is_exact = wanted.astype("datetime64[us]").item() == date
        assert taken(function, date) == (int(wanted.view(np.int64)) if is_exact else SLOW)
    assert taken(function, None) == np.iinfo(np.int64).min
    assert taken(function, 12345) == 12345
    zoned = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    for other in (zoned, dt.date(2024, 1, 1), "2024-01-01", 1.5, np.datetime64("2024-01-01")):
        assert taken(function, other) is SLOW


def test_random_dates() -> None:
    function, rng = single("datetime64[us]"), np.random.default_rng(0)
    first, last = np.datetime64("0001-01-01", "us").astype(int), np.datetime64("9999-12-31", "us").astype(int)
    for moment in rng.integers(first, last, 500):
        assert taken(function, np.datetime64(int(moment), "us").item()) == moment


def test_durations_are_whole_numbers() -> None:
    function = single("timedelta64[s]")
    assert taken(function, -5) == -5
    assert taken(function, None) == np.iinfo(np.int64).min
    assert taken(function, dt.timedelta(seconds=5)) is SLOW


def test_text_and_what_is_missing() -> None:
    city, missing = build.input_at(0, STRING, (N,)), column(1, "bool")
    outputs = [op("equal", city, build.constant("Ωx")), missing]
    field = Field("city", "str", 0, missing=1)
    function = loaded(compile_row(outputs, [city, missing], [field], [Result(0), Result(1)]))
    assert function({"city": "Ωx"}) == (True, False)
    assert function({"city": ""}) == (False, False)
    assert function({"city": None}) == (False, True)
    for other in ("\ud800", b"x", 1, np.str_("x")):
        with pytest.raises(WentSlow):
            function({"city": other})


def two(extra_keys: str = "refuse", slow: Any = None) -> Callable[[Any], Any]:
    a, b = column(0), column(1, "int32")
    fields = [Field("a", "float64", 0), Field("b", "int32", 1)]
    code = compile_row([a, b], [a, b], fields, [Result(0), Result(1)], extra_keys=extra_keys)  # type: ignore[arg-type]  # one of two words
    return loaded(code) if slow is None else loaded(code, slow)


class Mine(dict):  # type: ignore[type-arg]
    pass


def test_rows_that_are_no_plain_ones_go_the_slow_way() -> None:
    seen: list[Any] = []

    def slow(row: Any) -> tuple[Any, ...]:
        seen.append(row)
        return 4, 5

    function = two(slow=slow)
    odd = [{"a": 1.0}, {"a": 1.0, "b": 2, "c": 3}, Mine(a=1.0, b=2), (1.0,), [1.0, 2, 3], "ab", None, 7]
    for row in odd:
        assert function(row) == (4.0, 5)
    assert all(row is other for row, other in zip(seen, odd, strict=True))
    assert function({"b": 2, "a": 1}) == (1.0, 2)
    assert len(seen) == len(odd)


def test_extra_keys_may_be_ignored() -> None:
    assert two("ignore")({"a": 1.0, "b": 2, "c": 3}) == (1.0, 2)
    with pytest.raises(WentSlow):
        two("ignore")({"a": 1.0, "c": 3})


def test_what_the_slow_way_raises_is_raised() -> None:
    def slow(row: Any) -> Any:
        raise KeyError("b")

    with pytest.raises(KeyError, match="b"):
        two(slow=slow)({"a": 1.0})


@pytest.mark.parametrize("made", [(1.0, "x"), (1.0,), None, {"a": 1.0}])
def test_what_the_slow_way_made_must_be_plain(made: Any) -> None:
    with pytest.raises(TypeError, match="made ready"):
        two(slow=lambda row: made)("odd")


class Unequal:
    """A key as hard as can be: it has the hash of a field's name and raises when compared."""

    def __hash__(self) -> int:
        return hash("b")

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError


def test_an_error_while_reading_a_dict_goes_the_slow_way() -> None:
    assert two(slow=lambda row: (1.0, 2))({Unequal(): 0, "a": 1.0}) == (1.0, 2)


def test_the_number_of_arguments() -> None:
    function: Any = two()
    for arguments in ((), ((1.0, 2), 3)):
        with pytest.raises(TypeError, match="one argument"):
            function(*arguments)
    with pytest.raises(TypeError, match="keyword"):
        function(row=(1.0, 2))
    assert "row" in function.__doc__


# Results


def test_forms_of_results() -> None:
    x = build.input_at(0, np.dtype("float64"), (N, 3))
    place = build.arg_reduce("argmax", x, 1)
    total = build.reduce("sum", x, [1])
    inside = op("less", x, build.constant(2.0))
    fields = [Field(number, "float64", 0, number) for number in range(3)]
    result = Record(
        (
            Result(0),
            Result(1, labels=("low", None, "high")),
            Result(0, names=("p", "q", "r")),
            Record((Result(2), Result(3)), ("total", "inside")),
        )
    )
    function = loaded(compile_row([x, place, total, inside], [x], fields, result))
    row = (1.0, 2.0, 3.0)
    named = dict(zip("pqr", row, strict=True))
    assert function(row) == (row, "high", named, {"total": 6.0, "inside": (True, False, False)})
    assert function(dict(enumerate(row))) == function(row)


def test_every_dtype_comes_back_exactly() -> None:
    for kind in KINDS:
        value: Any = True if kind == "bool" else 3 if "int" in kind else 0.1
        expected = np.array([value], kind)[0].item()
        result = taken(single(kind), value)
        assert type(result) is type(expected)
        assert result == expected


def test_a_label_that_is_not_there_is_an_index_error() -> None:
    node = column(0, "int64")
    items = Record((Result(0, labels=("a", "b")), Result(0)))
    function = loaded(compile_row([node], [node], [Field("x", "int64", 0)], items))
    assert function((1,)) == ("b", 1)
    with pytest.raises(IndexError):
        function((2,))


def test_a_guard_that_does_not_hold_leaves_the_row_to_the_fallback() -> None:
    a = column(0)
    bad = build.reduce("any", op("isnan", a))
    guard = Guard(0, np.asarray(False).tobytes())
    code = compile_row([bad, op("add", a, a)], [a], [Field("a", "float64", 0)], Result(1), [guard])
    function = loaded(code, fallback=lambda row: ("library", row))
    assert function({"a": 2.0}) == 4.0
    row = {"a": None}
    result = function(row)
    assert result[1] is row


def test_fields_must_fill_the_inputs() -> None:
    a, b = column(0), column(1)
    for fields in (
        [Field("a", "float64", 0)],
        [Field("a", "float64", 0), Field("b", "float64", 0)],
        [Field("a", "float64", 0), Field("b", "float64", 2)],
        [Field("a", "float64", 0), Field("b", "int64", 1)],
    ):
        with pytest.raises(ValueError, match=r"input|goes to"):
            compile_row([op("add", a, b)], [a, b], fields, Result(0))
    with pytest.raises(ValueError, match="no output 3"):
        compile_row([a], [a], [Field("a", "float64", 0)], Result(3))
    with pytest.raises(ValueError, match="names"):
        compile_row([a], [a], [Field("a", "float64", 0)], Result(0, names=("x", "y")))


# Memory and threads


def everything(mark: str = "") -> tuple[Callable[[Any], Any], dict[str, Any], list[Any]]:
    """A function with text, category, date, labels and names; a row of fresh objects; what must not leak.

    Every name and label ends with `mark`.
    """
    city, missing = build.input_at(0, STRING, (N,)), column(1, "bool")
    code, date, x = column(2, "int8"), column(3, "datetime64[us]"), column(4)
    places, kinds = [f"{name}{mark}" for name in ("city", "kind", "when", "x")], (f"k0{mark}", f"k1{mark}")
    labels, names = (f"no{mark}", f"yes{mark}"), (f"a{mark}", f"b{mark}")
    same = build.convert(op("equal", city, build.constant("rome")), np.int64)
    both = build.stack([op("exp", x), build.convert(build.bitcast(date, np.int64), np.float64)], 1)
    outputs = [same, missing, code, both]
    fields = [
        Field(places[0], "str", 0, missing=1), Field(places[1], "category", 2, labels=kinds),
        Field(places[2], "datetime64[us]", 3), Field(places[3], "float64", 4),
    ]  # fmt: skip
    result = Record((Result(0, labels=labels), Result(1), Result(2), Result(3, names=names)))
    compiled = compile_row(outputs, [city, missing, code, date, x], fields, result)
    values = ("ro" + "me" * 20, f"k1{mark}", dt.datetime(2024, 5, 17), float("3.75"))
    row = dict(zip(places, values, strict=True))
    function = loaded(compiled, slow=lambda row: ("rome", kinds[1], None, 1.0) if row else 1 / 0)
    return function, row, [labels, names, kinds, *labels, *names, *kinds, *values, *places]


def test_references_are_given_back() -> None:
    """Objects of this test's own, of unusual text: Python shares the usual names with its attribute cache and
    with whatever other tests left for the garbage collector, so their counts change at any time."""
    function, row, things = everything(uuid.uuid4().hex)
    odd = {**row, "extra": 1}
    bad = {**row, list(row)[-1]: "text"}

    def call_often() -> None:
        for _ in range(1000):
            function(row)
            function(tuple(row.values()))
            function(odd)
            function(bad)
        for _ in range(10):
            with pytest.raises(ZeroDivisionError):
                function({})

    gc.collect()
    before = [sys.getrefcount(thing) for thing in things]
    grown = growth_of_memory(call_often)
    assert [sys.getrefcount(thing) for thing in things] == before
    assert grown < 10_000


def growth_of_memory(work: Callable[[], None]) -> int:
    """The least bytes by which memory grows in one of three turns: a leak grows in each, what another thread
    or a cache takes once does not."""
    sizes = []
    tracemalloc.start()
    try:
        for _ in range(4):
            work()
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    return min(later - earlier for earlier, later in itertools.pairwise(sizes))


def test_many_threads_at_once() -> None:
    function, row, _ = everything()
    failures: list[Any] = []
    start = threading.Barrier(6)

    def work(number: int) -> None:
        mine = {**row, "x": float(number), "city": "rome" if number % 2 else "oslo"}
        start.wait()
        for _ in range(3000):
            label, missing, code, both = function(mine)
            found = (label, missing, code, both["a"])
            if found != (("no", "yes")[number % 2], False, 1, expected[number]):
                failures.append(found)

    expected = [function({**row, "x": float(number)})[3]["a"] for number in range(6)]
    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
