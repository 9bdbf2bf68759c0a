"""Libraries for C, linked by this machine's compiler and called through ctypes: the bits of this process."""

import ctypes
import platform
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

import fuse
from fuse.export.native.elf import undefined_symbols
from fuse.export.native.header import identifiers
from tests.export.test_packages import FUNCTIONS, table

TRIPLE = f"{platform.machine()}-linux-gnu"
needs_compiler = pytest.mark.skipif(
    platform.system() != "Linux" or shutil.which("cc") is None, reason="no C compiler of Linux"
)


def _printed(folder: Path, name: str) -> list[str]:
    """What the example prints, compiled without warnings."""
    compile_ = ["cc", "-O1", "-Wall", "-Wextra", "-Werror", "example.c", f"{name}.o", "-o", "example"]
    subprocess.run(compile_, cwd=folder, check=True, timeout=120)
    done = subprocess.run(["./example"], cwd=folder, check=True, timeout=60, capture_output=True, text=True)
    return done.stdout.split()


def _numbers(result: Any) -> list[float]:
    """The numbers of a result in order, categories and rows of a table left out."""
    if isinstance(result, dict):
        result = tuple(result.values())
    if isinstance(result, tuple):
        return [number for part in result for number in _numbers(part)]
    if isinstance(result, pd.DataFrame):
        return [number for name in result for number in _numbers(result[name])]
    return [float(number) for number in np.asarray(result).reshape(-1)]


@needs_compiler
@pytest.mark.parametrize("function", [f for f in FUNCTIONS if "filtered" not in f.__name__],
                         ids=lambda f: f.__name__)  # fmt: skip
def test_the_example_prints_what_python_computes(tmp_path: Path, function: Any) -> None:
    df = table(150)
    compiled = fuse.jit(function)
    compiled.export(tmp_path, target=TRIPLE, example=df)
    printed = [float(text) for text in _printed(tmp_path, function.__name__)]
    with fuse.config(min_rows=0):
        expected = _numbers(compiled(df))
    assert np.array_equal(printed, expected, equal_nan=True)


class _In(ctypes.Structure):
    _fields_ = [("x", ctypes.c_void_p), ("y", ctypes.c_void_p)]


class _Out(ctypes.Structure):
    _fields_ = [("result", ctypes.c_void_p), ("shape", ctypes.c_int64 * 1)]


def _predict(library: ctypes.CDLL, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    out = np.full(len(x), -1.0)
    given, taken = _In(x.ctypes.data, y.ctypes.data), _Out(out.ctypes.data)
    status = library.fuse_predict(ctypes.byref(given), ctypes.c_size_t(len(x)), ctypes.byref(taken))
    assert status == 0
    return out[: taken.shape[0]]


@needs_compiler
def test_a_shared_library_from_many_threads(tmp_path: Path) -> None:
    """A filter and a forest, batches and single rows, dropped ones among them."""
    rng = np.random.default_rng(2)
    df = pd.DataFrame({"x": rng.normal(size=5000), "y": rng.normal(size=5000)})
    settings = {"objective": "regression", "num_leaves": 31, "verbosity": -1, "seed": 1}
    booster = lgb.train(settings, lgb.Dataset(df, df["x"] * df["y"]), num_boost_round=20)

    @fuse.jit
    def score(df: pd.DataFrame) -> Any:
        return np.exp(booster.predict(df[df["x"] > -0.5]))

    score.export(tmp_path, target=TRIPLE, example=df)
    library = ctypes.CDLL(str(tmp_path / "libscore.so"))
    x, y = (df[name].to_numpy().copy() for name in df)
    expected = score(df)

    def run(size: int) -> bool:
        found = np.concatenate(
            [_predict(library, x[i : i + size], y[i : i + size]) for i in range(0, 999, size)]
        )
        return found.tobytes() == expected[: len(found)].tobytes() and len(found) > 300

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(run, [1, 7, 333, 999, 1, 64, 500, 111]))


@pytest.mark.parametrize("triple", ["aarch64-linux-gnu", "x86_64-windows", "arm64-apple-macos"])
def test_objects_for_other_machines(tmp_path: Path, triple: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from fuse.export.native import library

    monkeypatch.setattr(library, "linker", lambda triple: None)
    fuse.jit(FUNCTIONS[0]).export(tmp_path, target=triple, example=table())
    suffix = ".obj" if "windows" in triple else ".o"
    content = (tmp_path / f"arithmetic{suffix}").read_bytes()
    magic = {
        "aarch64-linux-gnu": b"\x7fELF",
        "x86_64-windows": b"\x64\x86",
        "arm64-apple-macos": b"\xcf\xfa\xed\xfe",
    }
    assert content.startswith(magic[triple])
    assert undefined_symbols(content) <= {"malloc", "free", "memcpy", "memset", "memmove"}


def test_a_target_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(fuse.ExportError, match=r"no code is generated for 'sparc-sun-solaris'"):
        fuse.jit(FUNCTIONS[0]).export(tmp_path, target="sparc-sun-solaris", example=table())


def test_names_of_columns_become_names_of_c() -> None:
    assert identifiers(["mean radius", "mean-radius", "int", "2nd", "ok"]) == [
        "mean_radius", "mean_radius_2", "xint", "x2nd", "ok"
    ]  # fmt: skip
