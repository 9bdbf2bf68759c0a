"""Is this thread already one of many that joblib or Dask runs side by side?

A pool inside each of their workers would put n times n threads on n processors. Their modules are looked at
only when somebody else has loaded them, so asking costs next to nothing in a program without them.

Left out: plain `multiprocessing` and `concurrent.futures` workers. Nothing tells a pool of equals from one
helper process that should use the whole machine; `FUSE_NUM_THREADS` says which.
"""

from __future__ import annotations

import sys
import threading


def is_library_worker() -> bool:
    """True on a thread, or in a process, where joblib or Dask is running a task."""
    return _is_joblib_worker() or _is_dask_thread() or _is_distributed_task()


def _is_joblib_worker() -> bool:
    """joblib marks what runs inside a parallel call by the nesting level of its active backend.

    A call that joblib runs sequentially leaves the level at 0, rightly: there are no others beside it.
    """
    parallel = sys.modules.get("joblib.parallel")
    if parallel is None or not hasattr(parallel, "get_active_backend"):
        return False
    backend, _ = parallel.get_active_backend()
    return bool(getattr(backend, "nesting_level", 0))


def _is_dask_thread() -> bool:
    """Dask's threaded scheduler keeps its executors in two variables of its module.

    A thread is known by the name that its executor gave it: the executor's own set of threads takes in a
    new one only after it has begun to work.
    """
    threaded = sys.modules.get("dask.threaded")
    if threaded is None:
        return False
    by_thread = getattr(threaded, "pools", {})
    executors = [executor for pools in list(by_thread.values()) for executor in list(pools.values())]
    prefixes = {getattr(executor, "_thread_name_prefix", None) for executor in executors}
    prefixes.add(getattr(getattr(threaded, "default_pool", None), "_thread_name_prefix", None))
    return threading.current_thread().name.rpartition("_")[0] in prefixes


def _is_distributed_task() -> bool:
    """A thread of a `distributed` worker holds the state of the task it executes."""
    worker = sys.modules.get("distributed.worker")
    return hasattr(getattr(worker, "thread_state", None), "execution_state")
