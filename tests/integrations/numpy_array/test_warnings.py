"""Floating-point warnings: NumPy and fuse, lazily and compiled, tell the same, at the same lines."""

from __future__ import annotations

import inspect
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fuse
import fuse.numpy as fnp
from fuse import config
from fuse.integrations.numpy_array.base import LazyArray, from_array

ROWS = 5000
Told = list[tuple[str, int]]


def data() -> dict[str, np.ndarray]:
    x = np.linspace(-2.0, 9.0, ROWS)
    x[50] = 0.0
    holes = np.linspace(1.0, 2.0, ROWS)
    holes[::7] = np.nan
    return {
        "x": x,
        "one": np.linspace(1.0, 2.0, ROWS),
        "huge": np.full(ROWS, 1e308),
        "holes": holes,
        "endless": np.where(np.arange(ROWS) % 5 == 0, np.inf, 1.0),
        "narrow": np.linspace(-1.0, 3.0, ROWS, dtype=np.float32),
        "count": np.arange(ROWS) - 7,
        "half": np.linspace(-300, 300, ROWS).astype(np.float16),
        "plane": points(),
        "spans": spans(),
    }


def points() -> np.ndarray:
    """Pairs of all that is special, again and again."""
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -2.0, 1e308, 1e-308]
    return np.resize(np.array([complex(x, y) for x in special for y in special]), ROWS)


def spans() -> np.ndarray:
    found = np.arange(-50, ROWS - 50).astype("m8[us]")
    found[::11] = np.timedelta64("NaT")
    return found


def reciprocal(np: Any, x: Any) -> Any:
    return 1 / x


def logarithm(np: Any, x: Any) -> Any:
    return np.log(x) + 1


def two_lines(np: Any, x: Any) -> Any:
    first = np.log(x)
    second = np.sqrt(x)
    return first + second


def the_same_twice(np: Any, x: Any) -> Any:
    first = np.log(x)
    second = np.log(x)
    return first + second


def in_a_loop(np: Any, x: Any) -> Any:
    total = x * 0
    for shift in range(3):
        total = total + np.log(x + shift)
    return total


def overflows(np: Any, huge: Any) -> Any:
    a = huge * 2
    b = huge + huge
    c = np.exp(huge)
    return a, b, c, -huge - huge, np.square(huge), huge**2, np.power(huge, 3)


def branch_of_where(np: Any, x: Any) -> Any:
    return np.where(x > 0, np.log(x), 0.0)


def masked(np: Any, x: Any) -> Any:
    return np.log(x, where=x > 0, out=np.zeros_like(x))


def masked_by_a_wrong_mask(np: Any, x: Any) -> Any:
    return np.log(x, where=x >= 0, out=np.zeros_like(x))


def missing_values_are_silent(np: Any, holes: Any) -> Any:
    chosen = np.where(holes > 1.5, holes * 2, np.sqrt(holes))
    return chosen + np.exp(holes), np.maximum(holes, 1.0), holes < 3, np.isnan(holes)


def infinities_are_silent(np: Any, endless: Any) -> Any:
    return endless + 1, np.exp(-endless), 1 / endless, np.log(endless), np.sqrt(endless)


def infinities_that_are_not(np: Any, endless: Any) -> Any:
    return endless - endless, np.sin(endless), endless * 0, endless / endless


def integers(np: Any, count: Any) -> Any:
    quotient = count // (count - count)
    rest = count % count
    return quotient, rest, np.fmod(count, count), count // 3, np.divmod(count, count)


def true_quotient_of_integers(np: Any, count: Any) -> Any:
    return count / count, 1 / count


def casts(np: Any, holes: Any, huge: Any, half: Any) -> Any:
    a = holes.astype(np.int64)
    b = huge.astype(np.float32)
    c = half.astype(np.int8)
    return a, b, c, half.astype(np.float64)


def floats_of_all_sizes(np: Any, narrow: Any, half: Any) -> Any:
    a = np.log(narrow)
    b = half * half
    c = np.exp(half)
    return a, b, c, np.arccosh(narrow), np.arctanh(narrow), np.log1p(narrow), half // 0


def ufuncs(np: Any, x: Any) -> Any:
    a = np.arcsin(x)
    b = np.arccos(x)
    c = np.log2(x), np.log10(x), np.log1p(x)
    d = np.power(x, 0.5), np.power(x, -1.0), x**-1
    e = np.remainder(x, 0.0), np.floor_divide(x, 0.0), np.fmod(x, 0.0)
    return a, b, *c, *d, *e, np.reciprocal(x), np.cosh(x * 1000), np.expm1(x * 1000)


def in_place(np: Any, x: Any) -> Any:
    y = x * 1
    y /= 0
    y[3:9] *= 2
    return y


def quiet(np: Any, x: Any) -> Any:
    with np.errstate(divide="ignore"):
        first = np.log(x)
    second = np.log(x)
    with np.errstate(all="ignore"):
        third = np.sqrt(x)
    return first + second + third


def quiet_by_a_filter(np: Any, x: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = np.log(x)
    return first + np.sqrt(x)


def ordinary(np: Any, one: Any) -> Any:
    return np.log(one) / one + np.exp(-one), one[one > 1.5] / 3, one[7:] * one[:-7]


def kept_rows(np: Any, x: Any) -> Any:
    kept = x[x > 0]
    return 1 / kept, np.log(kept)


def constants(np: Any, x: Any) -> Any:
    return x + 1 / np.zeros(ROWS)


def numbers_too_large_for_the_dtype(np: Any, narrow: Any, half: Any) -> Any:
    a = narrow * 1e300
    b = half + 1e5
    return a, b


def numbers_of_integers(np: Any, count: Any) -> Any:
    return np.reciprocal(count + 7)


def sums_of_exponentials(np: Any, holes: Any, endless: Any) -> Any:
    return np.logaddexp(holes, endless), np.floor_divide(endless, 1e-310)


def complex_arithmetic(np: Any, plane: Any) -> Any:
    turned = plane[::-1]
    return plane + turned, plane * turned, np.square(plane), 1 / plane, plane / turned, np.abs(plane)


def complex_order(np: Any, plane: Any) -> Any:
    return plane < plane[::-1], plane >= 1j, plane == plane[::-1]


def complex_casts(np: Any, plane: Any) -> Any:
    return plane.astype(np.complex64), plane.astype(np.complex128)


def divided_spans(np: Any, spans: Any) -> Any:
    turned = spans[::-1]
    return spans // turned, spans % turned, spans / turned, turned / spans


def scaled_spans(np: Any, spans: Any, endless: Any, x: Any) -> Any:
    return spans * endless, spans / x, spans * 1e300, spans * x, spans / 0.0


def running_folds(_: Any, huge: Any, plane: Any, x: Any) -> Any:
    return huge.cumsum(), huge.cumprod(), plane.cumsum(), x.cumsum()


PROGRAMS = [
    complex_arithmetic, complex_order, complex_casts, divided_spans, scaled_spans, running_folds,
    numbers_too_large_for_the_dtype, numbers_of_integers, sums_of_exponentials,
    reciprocal, logarithm, two_lines, the_same_twice, in_a_loop, overflows, branch_of_where, masked,
    masked_by_a_wrong_mask, missing_values_are_silent, infinities_are_silent, infinities_that_are_not,
    integers, true_quotient_of_integers, casts, floats_of_all_sizes, ufuncs, in_place, quiet,
    quiet_by_a_filter, ordinary, kept_rows, constants,
]  # fmt: skip


def arguments(program: Callable[..., Any]) -> list[np.ndarray]:
    found = data()
    return [found[name] for name in list(inspect.signature(program).parameters)[1:]]


def observed(result: Any) -> None:
    fuse.evaluate(*(result if isinstance(result, tuple) else (result,)))


def told(call: Callable[[], Any], action: Any = "always") -> Told:
    """What a call warns of, with the line; FloatingPointError and warnings that raise as well."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter(action)
        try:
            call()
        except (FloatingPointError, RuntimeWarning) as error:
            return [(str(error), 0)]
    assert all(warning.category is RuntimeWarning for warning in caught)
    assert all(warning.filename == __file__ for warning in caught)
    return [(str(warning.message), warning.lineno) for warning in caught]


def lazily(program: Callable[..., Any]) -> None:
    """Every value is looked at, in the order of the program as far as there is one."""
    observed(program(fnp, *(from_array(array) for array in arguments(program))))


@pytest.mark.parametrize("action", ["always", "default", "ignore"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_lazy_programs_warn_as_numpy_does(program: Callable[..., Any], action: str) -> None:
    expected = told(lambda: program(np, *arguments(program)), action)
    with config.config(min_rows=0):
        assert told(lambda: lazily(program), action) == expected
    assert (action == "ignore") <= (expected == [])


@pytest.mark.parametrize("program", [program for program in PROGRAMS if program is not running_folds])
def test_small_arrays_warn_at_the_users_line(program: Callable[..., Any]) -> None:
    expected = told(lambda: program(np, *arguments(program)))
    with config.config(min_rows=10**9):
        assert told(lambda: lazily(program)) == expected


def bound(program: Callable[..., Any]) -> Callable[..., Any]:
    """The program with NumPy as a global name, as users write it."""
    names = ", ".join(list(inspect.signature(program).parameters)[1:])
    space: dict[str, Any] = {"program": program, "np": np}
    exec(f"def call({names}): return program(np, {names})", space)
    call: Callable[..., Any] = space["call"]
    return call


@pytest.mark.parametrize("program", PROGRAMS)
def test_compiled_functions_warn_as_numpy_does(program: Callable[..., Any]) -> None:
    function = bound(program)
    jitted = fuse.jit(function)
    expected = told(lambda: function(*arguments(program)))
    for _ in range(3):
        assert told(lambda: jitted(*arguments(program))) == expected
    assert not told(lambda: jitted(*arguments(program)), "ignore")


@pytest.mark.parametrize("mode", ["ignore", "warn", "raise"])
@pytest.mark.parametrize("program", [logarithm, overflows, integers, ordinary, quiet, branch_of_where])
def test_the_error_state_is_that_of_the_call(program: Callable[..., Any], mode: Any) -> None:
    function = bound(program)
    jitted = fuse.jit(function)
    told(lambda: jitted(*arguments(program)))

    def under(call: Callable[..., Any], *given: Any) -> Callable[[], Any]:
        def run() -> None:
            with np.errstate(divide=mode, over=mode, invalid=mode):
                call(*given)

        return run

    expected = told(under(function, *arguments(program)))
    for _ in range(2):
        assert told(under(jitted, *arguments(program))) == expected
    with config.config(min_rows=0):
        assert told(under(lazily, program)) == expected


def test_warnings_that_raise_are_caught_where_numpy_raises() -> None:
    def guarded(x: Any) -> Any:
        try:
            return np.log(x)
        except RuntimeWarning:
            return np.zeros_like(x)

    jitted = fuse.jit(guarded)
    x = data()["x"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            np.testing.assert_array_equal(jitted(x), guarded(x))
        with (
            pytest.raises(RuntimeWarning, match="divide by zero encountered in log"),
            config.config(min_rows=0),
        ):
            np.asarray(fnp.log(from_array(x)))


def test_each_location_warns_once_by_default() -> None:
    def program(x: Any) -> Any:
        return np.log(x)

    jitted = fuse.jit(program)
    x = data()["x"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(4):
            jitted(x)
    assert len(caught) == 2


def test_callbacks_and_logs() -> None:
    def seen(module: Any, x: Any, mode: Any) -> Any:
        calls: list[tuple[str, int]] = []
        stream = io.StringIO()
        handler: Any = stream if mode == "log" else lambda error, flag: calls.append((error, flag))
        with np.errstate(divide=mode, invalid=mode, call=handler):
            observed(1 / x + module.sqrt(x))
        return calls, stream.getvalue()

    x = data()["x"]
    for mode in ("call", "log"):
        for rows in (0, 10**9):
            with config.config(min_rows=rows):
                assert seen(fnp, from_array(x), mode) == seen(np, x, mode)


def test_a_value_that_was_computed_before_warns_at_the_next_line() -> None:
    def program(module: Any, x: Any) -> Any:
        first = module.log(x)
        observed(first)
        second = module.log(x)
        observed(second)
        return first + second

    with config.config(min_rows=0):
        expected = told(lambda: program(np, data()["x"]))
        assert told(lambda: program(fnp, from_array(data()["x"]))) == expected


def test_scalars_have_names_of_their_own() -> None:
    def program(module: Any, x: Any) -> Any:
        total = module.max(x)
        return total / 0, total * 1e308 * 1e308, (total - total) / 0

    with config.config(min_rows=0):
        expected = told(lambda: program(np, data()["one"]))
        assert told(lambda: observed(program(fnp, from_array(data()["one"])))) == expected
        assert expected


def test_what_is_not_looked_at_does_not_warn_and_leaves_nothing_behind() -> None:
    from fuse.integrations.capture import watching

    before = len(watching._watched)
    with config.config(min_rows=0):
        unused = fnp.log(from_array(data()["x"]))
        assert isinstance(unused, LazyArray)
        assert unused._node.op == "log"  # a call that is found again is watched when its node is asked for
        assert len(watching._watched) > before
        del unused
    assert len(watching._watched) == before


def test_the_setting_turns_them_off() -> None:
    with config.config(warn=False, min_rows=0):
        assert told(lambda: lazily(logarithm)) == []
        assert told(lambda: fuse.jit(bound(logarithm))(data()["x"])) == []


def test_reductions_warn_at_the_users_line() -> None:
    def program(x: Any) -> Any:
        return x.sum(), x.mean(), x.var(), np.add.reduce(x)

    huge = data()["huge"]
    lines = [line for _, line in told(lambda: fuse.jit(program)(huge))]
    first = program.__code__.co_firstlineno + 1
    assert lines == [first] * len(lines) and lines
    assert not told(lambda: fuse.jit(program)(data()["one"]))


def test_pandas_operators_are_silent_and_numpys_functions_are_not() -> None:
    import pandas as pd

    def operators(df: Any) -> Any:
        return df["a"] / 0 + df["a"] ** 0.5

    def function(df: Any) -> Any:
        return np.log(df["a"])

    df = pd.DataFrame({"a": data()["x"]})
    assert told(lambda: fuse.jit(operators)(df)) == []
    messages = [message for message, _ in told(lambda: fuse.jit(function)(df))]
    assert messages == ["divide by zero encountered in log", "invalid value encountered in log"]
