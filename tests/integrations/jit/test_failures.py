"""Exceptions, strictness, and arguments that have no plan."""

import pickle
import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fuse
from fuse.codegen import elementwise
from fuse.errors import InternalError
from tests.integrations.jit.oracle import check, copied


def mismatched(x: Any) -> Any:
    return x + np.ones(3)


def bad_axis(x: Any) -> Any:
    return x.sum(axis=4)


def out_of_range(x: Any) -> Any:
    return x[np.array([0, 10**6])]


def bad_column(x: Any) -> Any:
    return pd.DataFrame({"a": x})["b"]


def own_error(x: Any) -> Any:
    if x.shape[0] > 2:
        raise ValueError(f"too long: {x.shape[0]}")
    return x


def bad_type(x: Any) -> Any:
    return x + {}


@pytest.mark.parametrize("function", [mismatched, bad_axis, out_of_range, bad_column, own_error, bad_type])
def test_the_librarys_own_exception(function: Any) -> None:
    jitted = fuse.jit(function)
    for _ in range(2):
        check(jitted, np.arange(8.0))


def test_the_users_error_points_at_the_users_line() -> None:
    with pytest.raises(ValueError, match="too long") as caught:
        fuse.jit(own_error)(np.arange(8.0))
    assert caught.traceback[-1].path.name == "test_failures.py"


def test_an_error_that_depends_on_the_data() -> None:
    @fuse.jit
    def taken(x: Any, indices: Any) -> Any:
        return x[indices] * 2

    for last in (3, 100, 3, -4, -100):
        check(taken, np.arange(4.0), np.array([0, last, 1, 1]))


@pytest.mark.parametrize(
    "value",
    [
        np.array(["a", "b", "c"]), np.array([1, "x", None], object), np.arange(4) * 1j,
        np.zeros(3, [("a", int)]), pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]),
    ],
)  # fmt: skip
def test_arguments_that_are_not_compiled(value: Any) -> None:
    check(fuse.jit(lambda v: v[:2]), value)


def test_strict() -> None:
    @fuse.jit(strict=True)
    def sorted_twice(x: Any) -> Any:
        return np.sort(x * 2)

    with pytest.raises(fuse.StrictModeError, match="sort"):
        sorted_twice(np.arange(4.0))
    with fuse.config(min_rows=10**6), pytest.raises(fuse.StrictModeError):
        sorted_twice(np.arange(4.0))
    check(fuse.jit(sorted_twice.py_func), np.arange(4.0))


def test_small_inputs_run_in_the_plain_function() -> None:
    seen = []

    @fuse.jit
    def kinds(x: Any) -> Any:
        seen.append(type(x))
        return x * 2

    with fuse.config(min_rows=100):
        kinds(np.arange(10.0))
        assert seen == [np.ndarray]
        assert (kinds.stats().plain, kinds.stats().recorded) == (1, 0)


def test_a_compiled_plan_serves_small_inputs() -> None:
    @fuse.jit
    def twice(x: Any) -> Any:
        return x * 2

    with fuse.config(min_rows=100):
        for rows in (200, 10):
            check(twice, np.arange(float(rows)))
    assert (twice.stats().plain, twice.stats().replayed) == (0, 1)


def test_arguments_of_every_kind() -> None:
    @fuse.jit
    def mixed(parts: Any, options: Any, *more: Any, power: float = 2.0, **named: Any) -> Any:
        x, (y, scale) = parts
        return (x * scale) ** power + y + options["shift"] + sum(more) + named.get("extra", 0)

    x, y = np.arange(5.0), np.ones(5)
    cases = [
        (((x, (y, 2.0)), {"shift": x}), {}), (([x, (y, 3.0)], {"shift": 1}), {"power": 3.0}),
        (((x, (y, 2.0)), {"shift": x}, y, 1), {"extra": y}), (((x, (y, True)), {"shift": np.float32(2)}), {}),
    ]  # fmt: skip
    for args, kwargs in cases * 2:
        expected = mixed.py_func(*copied(args), **copied(kwargs))
        np.testing.assert_allclose(mixed(*args, **kwargs), expected, rtol=1e-15)
    assert (mixed.stats().recorded, mixed.stats().replayed) == (4, 4)


def test_constants_are_told_apart_by_bits() -> None:
    @fuse.jit
    def signed(x: Any, zero: float) -> Any:
        return np.copysign(x, zero)

    for zero in (0.0, -0.0, float("nan"), 0.0):
        check(signed, np.arange(3.0), zero)


def test_lazy_arguments() -> None:
    import fuse.numpy as fnp
    import fuse.pandas as fpd

    @fuse.jit
    def twice(x: Any) -> Any:
        return x * 2

    for _ in range(2):
        result = twice(fnp.arange(5.0) + 1)
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, (np.arange(5.0) + 1) * 2)
        frame = fpd.DataFrame({"a": np.arange(5.0)})
        pd.testing.assert_frame_equal(twice(frame + 1), pd.DataFrame({"a": (np.arange(5.0) + 1) * 2}))


@fuse.jit
def at_module_level(x: Any) -> Any:
    """Its docstring."""
    return np.where(x > 2, x, -x) + x.mean()


def test_pickle_and_wrapping() -> None:
    assert pickle.loads(pickle.dumps(at_module_level)) is at_module_level
    assert (at_module_level.__name__, at_module_level.__doc__) == ("at_module_level", "Its docstring.")
    assert fuse.jit(at_module_level) is at_module_level


def test_clear() -> None:
    at_module_level(np.arange(8.0))
    assert at_module_level.signatures
    at_module_level.clear()
    assert (at_module_level.signatures, at_module_level.stats().recorded) == ([], 0)


def test_many_threads_at_once() -> None:
    at_module_level.clear()
    failures: list[BaseException] = []
    barrier = threading.Barrier(8)

    def work(seed: int) -> None:
        try:
            barrier.wait()
            with fuse.config(raise_internal=True, min_rows=2):
                for round_ in range(20):
                    x = np.random.default_rng(seed).normal(size=20 + (round_ + seed) % 3)
                    np.testing.assert_allclose(at_module_level(x), at_module_level.py_func(x), rtol=1e-14)
        except BaseException as error:  # noqa: BLE001  # carried to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    assert at_module_level.stats().replayed > 0


def test_a_bug_of_the_compiler_costs_speed_and_not_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setitem(elementwise._FLOAT, "sinh", broken)
    function = fuse.jit(lambda x: np.sinh(x) * 3.25)
    x = np.linspace(0.0, 1.0, 20_000)
    with fuse.config(raise_internal=False, cache="0"):
        for _ in range(3):
            np.testing.assert_array_equal(function(x), np.sinh(x) * 3.25)
    assert any("a bug in fuse" in found.reason for found in fuse.report().fallbacks)
    assert function.stats().recorded == 1
    with pytest.raises(InternalError), fuse.config(cache="0"):
        fuse.jit(lambda x: np.sinh(x) * 4.25)(x)
