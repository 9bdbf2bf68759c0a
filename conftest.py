"""Settings of the whole test run, pages included: a bug inside the compiler raises, small arrays are recorded
too, and the disk cache is the run's own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fuse import config


@pytest.fixture(scope="session", autouse=True)
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = config.current()
    folder = tmp_path_factory.mktemp("fuse-cache")
    config.set_config(raise_internal=True, eager_bytes=0, cache_dir=str(folder))
    yield
    config.set_config(
        raise_internal=before.raise_internal, eager_bytes=before.eager_bytes, cache_dir=before.cache_dir
    )
