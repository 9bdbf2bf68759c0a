"""One thread inside the workers of joblib and Dask, all of them outside."""

import subprocess
import sys

import pytest

from fuse.runtime.nesting import is_library_worker


def test_the_main_thread_is_nobodys_worker() -> None:
    assert not is_library_worker()


@pytest.mark.processes
@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_joblib(backend: str) -> None:
    joblib = pytest.importorskip("joblib")
    parallel = joblib.Parallel(n_jobs=2, backend=backend)
    assert parallel(joblib.delayed(is_library_worker)() for _ in range(4)) == [True] * 4
    assert not is_library_worker()


def test_joblib_alone() -> None:
    joblib = pytest.importorskip("joblib")
    assert joblib.Parallel(n_jobs=1)(joblib.delayed(is_library_worker)() for _ in range(2)) == [False, False]


@pytest.mark.parametrize("scheduler", ["threads", "synchronous"])
def test_dask(scheduler: str) -> None:
    dask = pytest.importorskip("dask")
    tasks = [dask.delayed(is_library_worker, pure=False)() for _ in range(4)]
    answers = dask.compute(*tasks, scheduler=scheduler, num_workers=2)
    assert answers == (scheduler == "threads",) * 4
    assert not is_library_worker()


@pytest.mark.processes
def test_asking_loads_neither() -> None:
    program = (
        "import sys; from fuse.runtime.nesting import is_library_worker as f; f();"
        "sys.exit(any(name in sys.modules for name in ('joblib', 'dask', 'distributed')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
