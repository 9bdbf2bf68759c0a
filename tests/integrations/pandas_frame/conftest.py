"""Every frame is recorded, however short, and failures of the compiler are failures of the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fuse import config


@pytest.fixture(autouse=True)
def record_everything() -> Iterator[None]:
    with config.config(min_rows=0, raise_internal=True):
        yield
