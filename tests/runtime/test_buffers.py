"""Result arrays: aligned, ordinary, over reused memory that no living view loses."""

import gc
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from fuse.runtime import buffers

LARGE = 1 << 20


@pytest.fixture(autouse=True)
def _empty_pool() -> Iterator[None]:
    buffers.release_all()
    yield
    buffers.release_all()


def address(array: np.ndarray) -> int:
    return array.ctypes.data


@pytest.mark.parametrize("dtype", ["?", "i1", "i8", "f4", "c16", "M8[s]", "U7", "i4,f8"])
@pytest.mark.parametrize("count", [0, 1, 1000, 5000, 100_000, 1_000_001])
def test_same_array_as_numpy(dtype: str, count: int) -> None:
    array, expected = buffers.empty(count, dtype), np.empty(count, dtype)
    assert type(array) is np.ndarray
    assert (array.shape, array.dtype, array.strides) == (expected.shape, expected.dtype, expected.strides)
    assert array.flags.c_contiguous and array.flags.writeable and array.flags.aligned


@pytest.mark.parametrize("shape", [(), (0, 5), (3, 4), (50, 60, 7), (1000, 2000)])
def test_shapes(shape: tuple[int, ...]) -> None:
    array = buffers.empty(shape, np.float64)
    assert (array.shape, array.strides) == (shape, np.empty(shape).strides)
    array[...] = 1.5
    assert (array == 1.5).all()


@pytest.mark.parametrize("size", [buffers.SMALL, 50_001, buffers.POOLED - 1, buffers.POOLED, 5_000_003])
def test_aligned(size: int) -> None:
    assert address(buffers.empty(size, np.uint8)) % buffers.ALIGNMENT == 0


def test_objects_are_initialised() -> None:
    assert buffers.empty(100_000, object)[-1] is None


@pytest.mark.parametrize("shape", [-1, (3, -1), (1 << 40, 1 << 40), 1 << 62])
def test_impossible_shapes_raise_what_numpy_raises(shape: int | tuple[int, ...]) -> None:
    with pytest.raises((ValueError, MemoryError)) as ours:
        buffers.empty(shape, np.float64)
    with pytest.raises(ours.type) as numpys:
        np.empty(shape, np.float64)
    assert str(ours.value) == str(numpys.value)


def test_freed_memory_is_reused() -> None:
    first = buffers.empty(LARGE, np.float64)
    place = address(first)
    del first
    assert buffers.held_bytes() >= LARGE * 8
    assert address(buffers.empty((LARGE // 2, 2), np.int64)) == place


def test_nearby_sizes_share_a_class() -> None:
    first = buffers.empty(LARGE - 1000, np.uint8)
    place = address(first)
    del first
    assert address(buffers.empty(LARGE - 3000, np.uint8)) == place


def test_living_arrays_never_share_memory() -> None:
    arrays = [buffers.empty(LARGE, np.uint8) for _ in range(20)]
    for number, array in enumerate(arrays):
        array.fill(number)
    assert [int(array.min()) for array in arrays] == [int(array.max()) for array in arrays] == list(range(20))


@pytest.mark.parametrize(
    "view",
    [
        lambda array: array[10:20],
        lambda array: array.reshape(-1, 8)[:, 3],
        lambda array: array.view(np.uint8)[5:],
        memoryview,
        np.from_dlpack,
        lambda array: array.base[1:][1:],
    ],
    ids=["slice", "column", "bytes", "memoryview", "dlpack", "base"],
)
def test_a_view_keeps_the_block(view) -> None:
    array = buffers.empty(LARGE, np.float64)
    array.fill(7.0)
    kept = view(array)
    before = bytes(kept)
    del array
    gc.collect()
    assert buffers.held_bytes() == 0
    buffers.empty(LARGE, np.float64).fill(-1.0)
    assert bytes(kept) == before
    del kept
    gc.collect()
    assert buffers.held_bytes() > 0


def test_write_protection_can_be_switched() -> None:
    array = buffers.empty(LARGE, np.float64)
    for target in (array, array[5:]):
        target.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            target[0] = 1.0
        target.flags.writeable = True
        target[0] = 1.0


def test_pickles_as_an_array() -> None:
    array = buffers.empty(LARGE, np.uint8)
    array.fill(3)
    again = pickle.loads(pickle.dumps(array))
    assert type(again) is np.ndarray and np.array_equal(again, array)


def test_the_cap_drops_what_is_longest_unused() -> None:
    pool = buffers._Pool(limit=10 << 20)
    old, new = buffers._map(6 << 20), buffers._map(5 << 20)
    assert old and new
    pool.give(old)
    pool.give(new)
    assert (pool.held, set(pool.free)) == (5 << 20, {5 << 20})
    too_large = buffers._map(11 << 20)
    assert too_large
    pool.give(too_large)
    assert pool.held <= pool.limit


def test_release_all() -> None:
    del_me = buffers.empty(LARGE, np.float64)
    del del_me
    buffers.release_all()
    assert buffers.held_bytes() == 0


def test_a_collection_inside_the_pool_does_not_deadlock() -> None:
    """An array that dies while the lock is held is sorted in later."""
    array = buffers.empty(LARGE, np.float64)
    with buffers._POOL.lock:
        del array
        assert buffers.held_bytes() == 0
        other = buffers.empty(LARGE, np.float64)
    del other
    assert buffers.held_bytes() == 2 * buffers._size_class(LARGE * 8)


def test_threads_racing() -> None:
    errors: list[str] = []

    def work(number: int) -> None:
        for turn in range(300):
            array = buffers.empty(buffers.POOLED + 4096 * (turn % 3), np.uint8)
            array.fill(number)
            if array.min() != number or array.max() != number:
                errors.append(f"thread {number} read another's bytes")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    held = sum(size * len(blocks) for size, blocks in buffers._POOL.free.items())
    assert held == buffers.held_bytes() <= 8 * 3 * buffers._size_class(buffers.POOLED + 8192)


@pytest.mark.processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_has_memory_of_its_own() -> None:
    array = buffers.empty(LARGE, np.uint8)
    array.fill(1)
    buffers._POOL.lock.acquire()  # as if another thread were inside
    child = os.fork()
    if child == 0:
        array.fill(2)
        fresh = buffers.empty(LARGE, np.uint8)
        fresh.fill(3)
        del fresh
        os._exit(0 if array.min() == 2 and buffers.held_bytes() > 0 else 1)
    buffers._POOL.lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert array.max() == 1


@pytest.mark.processes
def test_quiet_at_the_end_of_the_interpreter() -> None:
    program = (
        "import sys, numpy as np\n"
        "from fuse.runtime import buffers\n"
        "kept = buffers.empty(1 << 20, np.float64)\n"
        "sys.kept = buffers.empty(1 << 20, np.float64)\n"
        "cycle = [buffers.empty(1 << 20, np.float64)]; cycle.append(cycle)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
