"""A fixed number of random NumPy programs in every test run, and what longer runs found, each as one program.

`python -m tests.fuzz numpy --count N --seed S --run optimized` runs as many as one likes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.fuzz.array_arguments import CALLS, Argument, Call
from tests.fuzz.engines import running
from tests.fuzz.known import NEAR, OPEN, SIGN, Line, Tracer
from tests.fuzz.numpy_programs import NumpyProgram, random_numpy_program
from tests.fuzz.numpy_worlds import calls_of, complaint, difference, shrunk_complaint

pytestmark = pytest.mark.fuzz


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Python warns about lines that are there to fail."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        yield


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_compiled(seed: int) -> None:
    assert shrunk_complaint(random_numpy_program(seed), calls_of(seed, 2)) is None


@pytest.mark.parametrize("start", range(1000, 1300, 50))
def test_random_programs_optimized(start: int) -> None:
    with running("optimized"):
        for seed in range(start, start + 50):
            assert shrunk_complaint(random_numpy_program(seed), calls_of(seed, 3)) is None


def test_the_same_seed_is_the_same_program() -> None:
    assert random_numpy_program(5) == random_numpy_program(5)


def _program(lines: tuple[str, ...], returned: tuple[str, ...], *arguments: Argument) -> NumpyProgram:
    return NumpyProgram(7, arguments, tuple(Line(text) for text in lines), returned)


A = Argument("a", "f8", ("n",), "C")
B = Argument("b", "f8", ("n",), "C")
M = Argument("a", "i4", ("n", 3), "C")
V = Argument("b", "i8", ("n",), "C")
LOCKED = Argument("b", "f8", ("n", 3), "readonly")

FOUND: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[Argument, ...]]] = {
    "new axes of a scalar": (("x = a.sum()", "y = x[None]", "z = x[...]", "y[0] = 7"), ("x", "y", "z"), (V,)),
    "a mask of a scalar": (("x = a.max()", "y = x[(x > 0)]"), ("y",), (M,)),
    "what reshapes a scalar is a copy": (
        ("x = np.count_nonzero(a)", "y = x.reshape((1,))", "y += 1", "z = np.squeeze(x), x.T"),
        ("x", "y", "z"), (M,),
    ),
    "writing through flat": (("x = np.real(a)", "a.flat[0] = 1", "y = a.flat[1]"), ("x", "y"), (M,)),
    "a mean into integers": (("np.mean(a, axis=0, out=a[0])",), (), (M,)),
    "a sum of truths into truths": (("x = a > 0", "np.sum(x, axis=-1, out=x[..., 0])"), ("x",), (M,)),
    "library writes to a view of unknown length": (
        ("x = a[1:]", "np.put_along_axis(x, np.zeros(1, int), 3, 0)", "np.put(b[::2], [0], 2)"),
        ("x",), (A, B),
    ),
    "a broadcast view sees writes": (
        ("x = np.broadcast_arrays(a, b[:, None])[0]", "a[0] = 9"), ("x",), (M, V),
    ),
    "the same arrays broadcast are themselves": (
        ("x = np.broadcast_arrays(a, a)[0]", "x[0] = 9", "y = np.block([x, a])"), ("y",), (A,),
    ),
    "a view that a function of NumPy made": (
        ("x = np.trim_zeros(a + 9)", "y = x[:]", "x *= 2"), ("y",), (A,),
    ),
    "a function that raises runs once": (("np.negative(a, out=a)", "b[0] += 1"), (), (A, LOCKED)),
    "nothing is written before an array that may not be": (("b[..., 0] = 1", "a[0] = 7"), (), (A, LOCKED)),
    "one value for many places": (("a[a < 99] = a[a == a.max()][:1]",), (), (A,)),
    "an infinity into integers": (("b[0] = np.inf",), (), (A, V)),
    "a default that does not fit": (("x = np.select([a > 0], [a.astype('u1')], 300)",), ("x",), (M,)),
    "contiguous copies": (
        ("x = np.ascontiguousarray(b)", "x[:2] = 0", "y = np.ascontiguousarray(b.sum())"), ("x", "y"),
        (A, Argument("b", "f8", ("n",), "backwards")),
    ),
    "a copy with an axis more": (("x = np.array(a, ndmin=2)",), ("x",), (A,)),
    "a cumulated sum into itself": (("np.cumsum(a, out=a)",), (), (Argument("a", "f4", ("n", 1), "C"),)),
    "one argument is another's content": (("b[:] = a", "a[0] = -3"), (), (A, B)),
    "infinities count in a variance without NaN": (("x = np.isnan(np.nanstd(a, axis=0))",), ("x",), (A,)),
    "methods of scalars": (("x = a.sum().cumsum()", "y = a.max().view()"), ("x", "y"), (M,)),
    "a mask of nothing": (("x = a[np.ones(0, bool)]",), ("x",), (M,)),
    "complex outputs": (
        ("x = a.astype('c16')", "x.T[...] += 1", "np.add(x, 2, out=x)", "y = x.real"), ("x", "y"), (M,),
    ),
    "flips of scalars": (("x = np.flip(a.sum())", "y = np.flipud(a.sum())"), ("x", "y"), (M,)),
    "a row of what NumPy has in another order is a copy": (
        ("x = a.T + 1", "x.ravel()[0] = 9", "y = a * 2", "y.ravel()[1] = 9", "z = x * y.T",
         "z.reshape(-1)[0] = 9"),
        ("x", "y", "z"), (Argument("a", "f8", ("n", 3), "F"),),
    ),
    "a transposed output in the order of its array": (
        ("np.maximum(a.T, 1, out=a.T)", "a.T.ravel()[:2] = 300", "a.ravel()[:2] += 1"), (),
        (Argument("a", "f4", ("n", "n"), "C"),),
    ),
    "gaps make a row a copy": (("b.ravel()[:2] = 5",), (), (A, Argument("b", "f8", ("n",), "gaps"))),
    "two results in one memory": (
        ("x = a > 0", "y = x[np.array([0, 2])]", "z = np.add(x, x)", "w = np.amin(y, axis=-1)",
         "np.putmask(z, x, w)"),
        ("x", "y", "z"), (Argument("a", "f4", (3, 3), "F"),),
    ),
    "complex arrays of every call": (
        ("x = np.array(a, dtype='c16')", "y = np.mean(1j * a, axis=0).flatten()", "z = x.copy()"),
        ("x", "y", "z"), (M,),
    ),
    "a filter of unknown length written to": (
        ("x = a[a > 0][::-1]", "y = 2 * x", "y[-1, ...] = 7", "x[::-1] += x"), ("x", "y"), (A,),
    ),
    "no integer for an array of integers": (("x = b.max() / 0 * 0", "a[:] = x"), (), (M, V)),
    "a view by another name": (("x = a.view()", "y = a.T", "x[0] = 3", "y.shape = (-1, 1)"), ("y",), (A,)),
    "masks wider than what is reduced": (
        ("x = np.any(a[:1], axis=0, where=np.ones((7, 3), bool))",), ("x",), (M,),
    ),
    "half a write before an exception": (("np.put(a, [0, 10**6], 2)",), (), (A,)),
    "a product in place": (("x = a * 1", "x @= x"), ("x",), (A,)),
    "means of scalars have no axis": (("x = a.sum().mean(axis=0)",), ("x",), (M,)),
    "imaginary parts of real numbers": (("x = a.imag", "np.equal(a, 255, out=x)"), ("x",), (A,)),
    "what ends a recording is no exception of the user's": (
        ("try:\n    x = np.stack([a[None], b], axis=-1)\nexcept Exception:\n    x = 3",), ("x",), (M, V),
    ),
    "rows of parts of unknown length": (
        ("a[1:, ::2].ravel()[1:] += 1", "x = b[b > 0][::-1]", "x.ravel()[:2] = 9"), ("x",), (M, V),
    ),
    "masks that are none": (("x = np.std(a[:1], axis=0, where=np.ones((7, 3), bool)) > 0",), ("x",), (M,)),
    "an array written backwards into itself": (("x = a * 2", "x[::-1] = x"), ("x",), (M,)),
    "the shape of an argument": (("a.shape = (-1, 1)", "x = a + 1"), ("x",), (A,)),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_programs_that_once_differed(name: str) -> None:
    lines, returned, arguments = FOUND[name]
    assert complaint(_program(lines, returned, *arguments), CALLS) is None


def _one_too_many(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: tuple(value + 1 for value in function(*given))


def test_a_wrong_world_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.numpy_worlds.fuse.jit", _one_too_many)
    said = shrunk_complaint(_program(("y = a * 2", "x = a + 1"), ("x",), A), CALLS)
    assert said is not None
    assert "became" in said
    assert "y = a * 2" not in said


def test_how_well_values_are_known() -> None:
    scope = {"np": np, "a": np.array([1.0, -0.0, 0.0]), "b": np.array([3.0, np.nan, -1.0])}
    tracer = Tracer(scope)
    for line in (
        Line("x0 = np.exp(a)", "x0"),
        Line("x1 = x0[1:]", "x1", smooth=True),
        Line("x2 = x1 > 1", "x2"),
        Line("x3 = np.maximum(a, -a)", "x3", smooth=True),
        Line("x4 = b.astype('u1')", "x4"),
        Line("x5 = a + 1", "x5", smooth=True),
        Line("x1[0] = 1", written="x1", smooth=True),
    ):
        with np.errstate(all="ignore"):
            tracer.run(line)
    assert [tracer.known[f"x{n}"] for n in (0, 1, 3, 4, 5)] == [NEAR, NEAR, SIGN, OPEN, 0]
    assert tracer.known["x2"] & OPEN


def test_differences_count_as_exactly_as_values_are_known() -> None:
    one, other = np.array([0.0, 1.0]), np.array([-0.0, 1.0 + 1e-15])
    assert difference(one, other, NEAR | SIGN, 1.0) is None
    assert difference(one, other, SIGN, 1.0) is not None
    assert difference(one, one.astype("f4"), OPEN, 1.0) is not None
    assert difference(np.array([np.nan]), np.array([1.0]), OPEN, 1.0) is None


def test_every_call_is_drawn_anew() -> None:
    assert len({call.draw for call in CALLS}) == len(CALLS)
    assert calls_of(3, 4)[0] == Call()
