"""The page on NumPy's names: each stands once; what it says is recorded is, what it says NumPy runs is not.

Every function is called with arguments of many forms under `strict`, where a step in NumPy raises.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fuse.numpy as fnp
from docs import numpy_names
from docs.numpy_names import COMPOSED, OP, RECORDED, STEP
from fuse import config
from fuse.errors import StrictModeError

PAGE = (Path(__file__).parents[1] / "docs" / "numpy.md").read_text("utf-8")
X, M, I, B = np.linspace(0.1, 0.9, 6), np.ones((2, 3)), np.arange(6), np.arange(6) % 2 == 0
LISTED = (
    "ufuncs", "composed", "functions", "creation", "writing", "steps", "classes", "forwarded",
)  # fmt: skip


def _part(name: str) -> str:
    found = re.search(rf"<!-- generated: numpy_{name} -->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    assert found is not None, name
    return found[1]


def _forms() -> Iterator[tuple[Any, ...]]:
    """Arguments: arrays alone, in pairs, in lists, with numbers, shapes and conditions."""
    for array in (X, I, M, B, M[0], X > 0.5):
        yield from (
            (array,),
            (array, array),
            ([array, array],),
            (array, 1),
            (array, 0),
            (array, 2),
            (1, array),
        )
        yield from (
            (array, -1),
            (array, 0, 1),
            (array, (0,), (1,)),
            (array, (6,)),
            (array, (3, 2)),
            (0, array),
        )
    yield from (
        (B, X, X),
        (X, X, X),
        (B, X),
        ([B], [X]),
        (I % 2, [X, X]),
        (X, I),
        (I[:3], X, 0),
        (X, I, 0),
        (X, B),
    )
    yield from (
        (X, X[:3], X[:3]),
        (M, M.T),
        (M[:, :3], M[:, :3]),
        ("i,i->", X, X),
        (X, [0, 2], 5.0),
        (X, [0, 2]),
    )
    yield from (
        (X, [B], [0.0, 1.0]),
        (X, (1, 1)),
        (M, (1, 0)),
        (X, X, 1),
        (M, 0.1, 0.5),
        (M, I[None, :3] % 2, 0),
    )
    yield (np.ones((1, 2, 3)), 3)


def _lazy(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return fnp.asarray(value) + 0 if value.dtype != bool else ~fnp.asarray(~value)
    return type(value)(map(_lazy, value)) if isinstance(value, list | tuple) else value


def _ways(function: Callable[..., Any]) -> Counter[str]:
    """How often a function was recorded and how often it asked for NumPy, over all forms that it takes."""
    ways: Counter[str] = Counter()
    for form in _forms():
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function(*map(_lazy, form))
        except StrictModeError:
            ways["in NumPy"] += 1
        except Exception:  # noqa: BLE001  # NumPy refuses the form
            ways["refused"] += 1
        else:
            ways["recorded"] += 1
    return ways


def test_every_name_stands_once() -> None:
    found = Counter(name for part in LISTED for name in re.findall(r"`(\w+)`", _part(part)))
    assert set(found) == set(numpy_names.public(np))
    assert {name for name, count in found.items() if count > 1} == set()


@pytest.mark.parametrize("module", ["linalg", "fft", "random"])
def test_every_name_of_a_submodule_stands_once(module: str) -> None:
    found = Counter(re.findall(r"`(\w+)`", _part(module)))
    assert found == Counter(numpy_names.public(getattr(np, module)))


def _of(*kinds: str) -> list[str]:
    return [name for name, kind in numpy_names.kinds().items() if kind in kinds]


@pytest.mark.parametrize("name", _of(OP, COMPOSED, RECORDED))
def test_what_the_page_says_is_recorded_is(name: str) -> None:
    with config.config(min_rows=0, strict=True):
        assert _ways(getattr(fnp, name))["recorded"]


def _of_arrays(function: Any) -> bool:
    """Whether a function takes arrays of others; of the rest there is nothing to record."""
    return hasattr(function, "_implementation")


@pytest.mark.parametrize("name", [name for name in _of(STEP) if _of_arrays(getattr(np, name))])
def test_what_the_page_says_numpy_runs_is_not_recorded(name: str) -> None:
    with config.config(min_rows=0, strict=True):
        assert not _ways(getattr(fnp, name))["recorded"]
