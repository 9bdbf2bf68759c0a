"""The thread pool: one kernel, run by the calling thread and by those workers that arrive in time.

A kernel is a C function `void kernel(void *args, int64_t *control, int64_t worker)`. Its workers take their
morsels from a shared counter in `control` until none is left, so it is complete when worker 0 returns and
**any** subset of the others has run. That is what makes this pool simple and quick:

- A worker that has not begun when the caller is done is not waited for: its place is taken away, and it is
  never called. Waking a Python thread takes about 45 µs, and more when other threads fight for the
  interpreter lock.
- Calls from several user threads do not wait for one another. The workers help whom they can; a caller whom
  nobody helps does all the work itself.

The interpreter lock is free while kernels run. Threads are daemons, started when first needed, and started
anew in the child of a fork. Left out: pinning threads to processors (the system's scheduler knows who else
is running).
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from enum import Enum
from queue import SimpleQueue

from fuse.config import current, set_config
from fuse.runtime.cpus import available_threads
from fuse.runtime.nesting import is_library_worker

__all__ = ["available_threads", "get_num_threads", "run", "set_num_threads"]

KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
"""The C type of a kernel; calling it releases the interpreter lock."""


def get_num_threads() -> int:
    """How many threads a kernel may use when called from here, at least 1.

    1 inside a worker of joblib, Dask or this pool; else the setting `num_threads` (`set_num_threads`,
    `FUSE_NUM_THREADS`, `OMP_NUM_THREADS`, in this order); else what affinity and container allow.
    """
    if _here.is_worker or is_library_worker():
        return 1
    return current().num_threads or available_threads()


def set_num_threads(count: int) -> None:
    """Let kernels of this process use `count` threads; ValueError below 1."""
    if count < 1:
        raise ValueError(f"the number of threads must be at least 1, got {count}")
    set_config(num_threads=int(count))


def run(address: int, args: int, control: int, workers: int) -> None:
    """Run the kernel at `address` with up to `workers` threads, this one as worker 0, and wait for all.

    `args` and `control` are addresses that the kernel gets as they are; what they point to must live until
    the return. Workers 1 to `workers - 1` may or may not be called, see above. The caller decides how many
    threads the work repays, with `get_num_threads()` as the limit; inside one of this pool's own workers it
    is always one. An error of any worker is raised here, several as a BaseExceptionGroup, after all have
    stopped.
    """
    if workers <= 1 or _here.is_worker:
        KERNEL(address)(args, control, 0)
        return
    job = _Job(KERNEL(address), args, control, workers)
    try:
        _pool.offer(job)
        job.execute(0)
    finally:
        job.settle()
    job.raise_errors()


class _Here(threading.local):
    is_worker = False


class _Claim(Enum):
    WORKER = 1
    CALLER = 2


class _Job:
    """One call of a kernel by several workers.

    `claims` says who has each worker's place. `dict.setdefault` is atomic and idempotent: exactly one of
    worker and caller gets a place, and the caller may ask again after an interrupt.
    """

    def __init__(
        self, kernel: Callable[[int, int, int], object], args: int, control: int, workers: int
    ) -> None:
        self.kernel, self.args, self.control = kernel, args, control
        self.workers = workers
        self.claims: dict[int, _Claim] = {}
        self.ended: SimpleQueue[int] = SimpleQueue()
        self.outcomes: dict[int, BaseException | None] = {}

    def execute(self, worker: int) -> None:
        """Call the kernel; what it raises is kept for the caller."""
        outcome = None
        try:
            self.kernel(self.args, self.control, worker)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            outcome = error
        finally:
            self.outcomes[worker] = outcome
            self.ended.put(worker)

    def help(self, worker: int) -> None:
        """What a pool thread does with a job: nothing, when the caller has finished without it."""
        if self.claims.setdefault(worker, _Claim.WORKER) is _Claim.WORKER:
            self.execute(worker)

    def settle(self) -> None:
        """Take away the places of those who have not begun, and wait for those who have.

        An interrupt does not end the wait, or kernels would write into memory that the caller frees; it is
        raised afterwards. A token of `ended` only wakes: what counts is `outcomes`, so a token lost to an
        interrupt is no harm.
        """
        interrupt: BaseException | None = None
        while True:
            try:
                begun = [worker for worker in range(1, self.workers) if self.is_begun(worker)]
                while not all(worker in self.outcomes for worker in begun):
                    self.ended.get()
                break
            except BaseException as error:  # noqa: BLE001 - raised below
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def is_begun(self, worker: int) -> bool:
        return self.claims.setdefault(worker, _Claim.CALLER) is _Claim.WORKER

    def raise_errors(self) -> None:
        errors = [error for _, error in sorted(self.outcomes.items()) if error is not None]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise BaseExceptionGroup(f"{len(errors)} workers of a kernel failed", errors)


class _Pool:
    """Threads that wait for jobs, as many as were ever wanted at once."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[tuple[_Job, int]] = SimpleQueue()
        self.threads: list[threading.Thread] = []
        self.lock = threading.Lock()

    def offer(self, job: _Job) -> None:
        """Wake one thread for each worker but the caller's; fewer when the system gives no more threads."""
        if len(self.threads) < job.workers - 1:
            self.grow(job.workers - 1)
        for worker in range(1, min(job.workers, len(self.threads) + 1)):
            self.jobs.put((job, worker))

    def grow(self, count: int) -> None:
        with self.lock:
            while len(self.threads) < count:
                name = f"fuse-{len(self.threads) + 1}"
                thread = threading.Thread(target=_work, args=(self.jobs,), name=name, daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the system's limit, the interpreter's end, no threads at all
                    return
                self.threads.append(thread)


def _work(jobs: SimpleQueue[tuple[_Job, int]]) -> None:
    """The life of a pool thread."""
    _here.is_worker = True
    while True:
        job, worker = jobs.get()
        job.help(worker)
        del job  # or it would live until the next one comes


def _renew() -> None:
    """In the child of a fork only the forking thread lives: a new pool, and it is nobody's worker."""
    global _pool, _here
    _pool, _here = _Pool(), _Here()
    available_threads.cache_clear()


_here = _Here()
_pool = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
