"""Failures inside fuse are errors, and everything of two elements or more is compiled."""

from collections.abc import Iterator

import pytest

import fuse


@pytest.fixture(autouse=True)
def strict_about_ourselves() -> Iterator[None]:
    with fuse.config(raise_internal=True, min_rows=2):
        yield
