"""The tables are what `minimax.py` makes, and the page of measured errors is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuse.codegen.math import coefficients, minimax
from tests.accuracy.bounds import BOUNDS

QUICK = ("EXP_SINGLE", "EXP2_SHORT", "SIN_SINGLE", "COS_SINGLE", "CBRT")


@pytest.mark.parametrize("name", QUICK)
def test_tables_are_reproducible(name: str) -> None:
    assert tuple(minimax.POLYNOMIALS[name]()) == getattr(coefficients, name)


def test_every_function_is_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "accuracy.md").read_text()
    missing = [name for name in BOUNDS if f"| `{name}` |" not in page]
    assert not missing
