"""The pool: every worker's work is done, awaited and accounted for, whoever calls and whatever goes wrong."""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from fuse.config import config, current
from fuse.runtime import threads

Body = Callable[[int, int, int], object]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[[Body, int], None]:
    """Run a Python function as if it were a kernel, so that it may raise; compiled ones cannot."""

    def run(body: Body, workers: int) -> None:
        monkeypatch.setattr(threads, "KERNEL", lambda address: body)
        threads.run(0, 1, 2, workers)

    return run


def compiled(body: Body) -> tuple[int, object]:
    """The address of a C function that calls Python, and what keeps it alive."""
    function = threads.KERNEL(body)
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address
    return address, function


def test_passes_the_addresses_through_c() -> None:
    seen = []
    address, keep = compiled(lambda *arguments: seen.append(arguments))
    threads.run(address, 123, 456, 1)
    assert seen == [(123, 456, 0)]
    del keep


def test_one_worker_stays_on_the_calling_thread(call) -> None:
    seen = []
    call(lambda *_: seen.append(threading.current_thread()), 1)
    assert seen == [threading.current_thread()]


def test_all_workers_run_when_the_caller_is_slow(call) -> None:
    barrier = threading.Barrier(3, timeout=30)
    seen = []

    def body(args: int, control: int, worker: int) -> None:
        barrier.wait()
        seen.append((worker, threading.get_ident()))

    call(body, 3)
    assert sorted(worker for worker, _ in seen) == [0, 1, 2]
    assert len({ident for _, ident in seen}) == 3


def test_who_has_begun_is_awaited(call) -> None:
    begun, finished = threading.Event(), []

    def body(args: int, control: int, worker: int) -> None:
        if worker == 0:
            assert begun.wait(30)
        else:
            begun.set()
            time.sleep(0.05)
            finished.append(worker)

    call(body, 2)
    assert finished == [1]


def test_who_has_not_begun_is_not_called(call) -> None:
    """The only pool thread is busy with another caller's job, and this call returns without it."""
    release, busy, seen = threading.Event(), threading.Event(), []
    job = threads._Job(lambda *_: (busy.set(), release.wait(30)), 0, 0, 2)
    pool_before = threads._pool
    threads._pool = threads._Pool()
    try:
        threads._pool.offer(job)
        assert busy.wait(30)
        call(lambda args, control, worker: seen.append(worker), 2)
        assert seen == [0]
    finally:
        release.set()
        job.settle()
        threads._pool = pool_before


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_the_error_of_any_worker_is_raised(call, failing: int) -> None:
    barrier = threading.Barrier(3, timeout=30)
    ended = []

    def body(args: int, control: int, worker: int) -> None:
        barrier.wait()
        if worker == failing:
            raise ArithmeticError(f"worker {worker}")
        time.sleep(0.02)
        ended.append(worker)

    with pytest.raises(ArithmeticError, match=f"worker {failing}"):
        call(body, 3)
    assert sorted(ended) == sorted({0, 1, 2} - {failing})


def test_errors_of_several_workers_are_all_raised(call) -> None:
    barrier = threading.Barrier(3, timeout=30)

    def body(args: int, control: int, worker: int) -> None:
        barrier.wait()
        raise ArithmeticError(f"worker {worker}")

    with pytest.raises(BaseExceptionGroup) as group:
        call(body, 3)
    assert [str(error) for error in group.value.exceptions] == ["worker 0", "worker 1", "worker 2"]


def test_the_pool_survives_errors(call) -> None:
    for _ in range(5):
        test_errors_of_several_workers_are_all_raised(call)
    test_all_workers_run_when_the_caller_is_slow(call)


def test_a_worker_runs_nested_calls_alone() -> None:
    """The inner call comes from pool threads, through C as in life."""
    seen, barrier = [], threading.Barrier(2, timeout=30)
    inner, keep_inner = compiled(lambda args, control, worker: seen.append((args, worker)))

    def outer(args: int, control: int, worker: int) -> None:
        barrier.wait()
        if worker:
            seen.append(("threads", threads.get_num_threads()))
            threads.run(inner, 1, 0, 2)

    address, keep_outer = compiled(outer)
    threads.run(address, 0, 0, 2)
    assert seen == [("threads", 1), (1, 0)]
    del keep_inner, keep_outer


def test_many_callers_at_once() -> None:
    """Each call's work is shared out from its own counter, and done exactly once."""
    lock = threading.Lock()
    totals: dict[int, list[int]] = {number: [] for number in range(1, 9)}

    def body(args: int, control: int, worker: int) -> None:
        while True:
            with lock:
                morsel = len(totals[args])
                if morsel == 400:
                    return
                totals[args].append(morsel)

    address, keep = compiled(body)
    callers = [threading.Thread(target=threads.run, args=(address, number, 0, 3)) for number in totals]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    assert all(done == list(range(400)) for done in totals.values())
    del keep


def test_an_interrupt_waits_for_the_workers(call) -> None:
    begun, finished = threading.Event(), []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it

    def body(args: int, control: int, worker: int) -> None:
        if worker == 0:
            assert begun.wait(30)
            return
        begun.set()
        time.sleep(0.05)
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.2)
        finished.append(worker)

    try:
        with pytest.raises(KeyboardInterrupt):
            call(body, 2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert finished == [1]


def test_no_more_threads_means_fewer_workers(call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    seen = []
    call(lambda args, control, worker: seen.append(worker), 4)
    assert seen == [0]


def test_threads_are_daemons_and_kept(call) -> None:
    test_all_workers_run_when_the_caller_is_slow(call)
    before = list(threads._pool.threads)
    test_all_workers_run_when_the_caller_is_slow(call)
    assert threads._pool.threads == before
    assert all(thread.daemon for thread in before)


@pytest.mark.processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_has_its_own_pool(call) -> None:
    test_all_workers_run_when_the_caller_is_slow(call)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            test_all_workers_run_when_the_caller_is_slow(call)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    test_all_workers_run_when_the_caller_is_slow(call)


@pytest.mark.processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_forked_by_a_worker_is_nobodys_worker(call) -> None:
    codes, barrier = [], threading.Barrier(2, timeout=30)

    def body(args: int, control: int, worker: int) -> None:
        barrier.wait()
        if worker:
            child = os.fork()
            if child == 0:
                os._exit(0 if not threads._here.is_worker else 1)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    call(body, 2)
    assert codes == [0]


def test_the_setting_decides_the_number() -> None:
    with config(num_threads=3):
        assert threads.get_num_threads() == 3
    with config(num_threads=None):
        assert threads.get_num_threads() == threads.available_threads()


def test_set_num_threads() -> None:
    before = current().num_threads
    try:
        threads.set_num_threads(5)
        assert threads.get_num_threads() == 5
    finally:
        threads.set_config(num_threads=before)


@pytest.mark.parametrize("count", [0, -2])
def test_set_num_threads_refuses_less_than_one(count: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1, got {count}"):
        threads.set_num_threads(count)
