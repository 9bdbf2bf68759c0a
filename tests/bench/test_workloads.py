"""Every workload's plain function gives the published values, and its jitted twin the same ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fuse
from bench.__main__ import main
from bench.case import Row
from bench.equality import check
from bench.rounds import Settings
from bench.workloads import NAMES, black_scholes, crime_index, filter_sum, load, small_inputs

FEW = 20_003


@pytest.mark.parametrize("name", NAMES)
def test_every_workload_says_what_it_is(name: str) -> None:
    module = load(name)
    assert module.__doc__.splitlines()[0].endswith((".", ","))
    assert callable(module.rows)


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(ValueError, match="no workload is called 'white_scholes'"):
        load("white_scholes")


def test_black_scholes_has_welds_values() -> None:
    call, put = black_scholes.black_scholes(*black_scholes.random_data(black_scholes.GOLDEN_SIZE))
    np.testing.assert_allclose((call.sum(), put.sum(), call[0]), black_scholes.GOLDEN, rtol=1e-9)
    black_scholes.check_golden()


def test_crime_index_has_the_papers_value() -> None:
    crime_index.check_golden()


@pytest.mark.parametrize("data", [crime_index.constant_data, crime_index.random_data])
@pytest.mark.parametrize("name", ["crime_index", "population"])
def test_crime_index_is_the_same_compiled(name: str, data: object) -> None:
    df = data(FEW)  # type: ignore[operator]
    plain, jitted = getattr(crime_index, name), getattr(crime_index, f"{name}_jitted")
    check(plain(df), jitted(df), 1e-12)


def test_black_scholes_is_the_same_compiled() -> None:
    data = black_scholes.random_data(FEW)
    check(black_scholes.black_scholes(*data), black_scholes.jitted(*data), 1e-11, 1e-12)


def test_filter_sum_is_the_same_compiled() -> None:
    x = filter_sum.random_data(FEW)
    check(filter_sum.filter_sum(x), filter_sum.jitted(x), 1e-12)


def test_workloads_are_compiled_whole() -> None:
    for function, data in (
        (black_scholes.jitted, black_scholes.random_data(FEW)),
        (crime_index.crime_index_jitted, (crime_index.random_data(FEW),)),
        (crime_index.population_jitted, (crime_index.random_data(FEW),)),
        (filter_sum.jitted, (filter_sum.random_data(FEW),)),
    ):
        plan = function.explain(*data)
        assert (len(plan.kernels), plan.intermediates, plan.library_steps) == (1, (), ()), str(plan)


@pytest.mark.parametrize("size", small_inputs.SIZES)
def test_small_inputs_stay_plain(size: int) -> None:
    x, y = np.random.default_rng(0).random((2, size))
    jitted = fuse.jit(small_inputs.distance)
    check(small_inputs.distance(x, y), jitted(x, y), 0.0)
    assert (jitted.stats().plain, jitted.stats().recorded) == (1, 0)


def test_the_command_prints_and_saves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "found.json"
    assert main(["run", "dispatch", "--quick", "--threads", "1", "--json", str(target)]) == 0
    printed = capsys.readouterr().out
    assert "dispatch" in printed
    assert "bars met" in printed
    rows = json.loads(target.read_text("utf-8"))["rows"]
    assert {row["workload"] for row in rows} == {"dispatch"}
    assert all(row["reading"]["fuse"] > 0 for row in rows)


def test_a_failing_workload_is_a_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(settings: Settings) -> list[Row]:
        raise RuntimeError("no data")

    monkeypatch.setattr(filter_sum, "rows", broken)
    assert main(["run", "filter_sum"]) == 0
    assert "1 missed: filter_sum failed" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["run", "nothing"], ["run", "--threads", "0"], []])
def test_wrong_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["jacobi_2d", "heat_3d", "shallow_water"])
def test_time_loops_are_the_same_compiled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(name)
    monkeypatch.setattr(module, "SIDE", 20)
    start = {"jacobi_2d": "plane", "heat_3d": "cube", "shallow_water": "pond"}[name]
    array = getattr(module, start)()
    count = 1 if name == "shallow_water" else 2
    plain, compiled = (
        function(*(array.copy() for _ in range(count))) for function in (module.jitted.py_func, module.jitted)
    )
    check(plain, compiled, 0.0)
