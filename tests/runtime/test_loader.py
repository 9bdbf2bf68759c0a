"""Object code comes in, runs, and is gone with its library."""

import ctypes
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fuse.runtime import loader

llvm = pytest.importorskip("llvmlite.binding")

ADD = """
define i64 @add(i64 %a, i64 %b) {
  %sum = add i64 %a, %b
  ret i64 %sum
}
define i64 @twice(i64 %a) {
  %sum = call i64 @add(i64 %a, i64 %a)
  ret i64 %sum
}
"""

CALLS_OUT = """
declare double @fmod(double, double)
declare ptr @memset(ptr, i32, i64)
declare ptr @PyFloat_FromDouble(double)
@PyExc_ValueError = external global ptr
define ptr @error_class() {
  %r = load ptr, ptr @PyExc_ValueError
  ret ptr %r
}
define double @remainder(double %a, double %b) {
  %r = call double @fmod(double %a, double %b)
  ret double %r
}
define ptr @fill(ptr %p, i64 %n) {
  %r = call ptr @memset(ptr %p, i32 65, i64 %n)
  ret ptr %r
}
define ptr @box(double %a) {
  %r = call ptr @PyFloat_FromDouble(double %a)
  ret ptr %r
}
"""

MISSING = """
declare i64 @fuse_test_no_such_function()
define i64 @f() {
  %r = call i64 @fuse_test_no_such_function()
  ret i64 %r
}
"""


def object_code(text: str) -> bytes:
    with loader.llvm_lock:
        loader.initialize_native_target()
        machine = llvm.Target.from_default_triple().create_target_machine(reloc="pic")
        module = llvm.parse_assembly(text)
        module.verify()
        return machine.emit_object(module)


def test_addresses_by_name() -> None:
    library = loader.load(object_code(ADD), ["add", "twice"])
    integer = ctypes.c_int64
    assert ctypes.CFUNCTYPE(integer, integer, integer)(library["add"])(40, 2) == 42
    assert ctypes.CFUNCTYPE(integer, integer)(library["twice"])(21) == 42
    assert library.addresses == {"add": library["add"], "twice": library["twice"]}


def test_symbols_of_this_process() -> None:
    library = loader.load(object_code(CALLS_OUT), ["remainder", "fill", "box", "error_class"])
    double = ctypes.c_double
    assert ctypes.CFUNCTYPE(double, double, double)(library["remainder"])(7.5, 2.0) == 1.5
    memory = ctypes.create_string_buffer(5)
    ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(library["fill"])(memory, 4)
    assert memory.raw == b"AAAA\x00"
    assert ctypes.PYFUNCTYPE(ctypes.py_object, double)(library["box"])(2.5) == 2.5
    assert id(ValueError) == ctypes.CFUNCTYPE(ctypes.c_void_p)(library["error_class"])()


def test_libraries_have_separate_names() -> None:
    first, second = (loader.load(object_code(ADD), ["add"]) for _ in range(2))
    assert first["add"] != second["add"]


def test_a_symbol_that_was_not_asked_for() -> None:
    with pytest.raises(KeyError, match="twice"):
        loader.load(object_code(ADD), ["add"])["twice"]


@pytest.mark.parametrize(
    ("code", "symbol"),
    [
        (lambda: object_code(ADD), "absent"),
        (lambda: object_code(MISSING), "f"),
        (lambda: b"not an object", "f"),
        (lambda: b"", "f"),
        (lambda: object_code(ADD)[:200], "add"),
    ],
    ids=["no-such-symbol", "unresolved", "not-object-code", "empty", "truncated"],
)
@pytest.mark.processes
def test_what_cannot_be_linked_raises(code, symbol: str) -> None:
    with pytest.raises(RuntimeError):
        loader.load(code(), [symbol])
    test_addresses_by_name()


def is_executable(address: int) -> bool:
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights = line.split()[:2]
        start, end = (int(part, 16) for part in span.split("-"))
        if start <= address < end:
            return "x" in rights
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process' memory map")
def test_code_lives_as_long_as_its_library() -> None:
    code = object_code(ADD)
    libraries = [loader.load(code, ["add"]) for _ in range(50)]
    addresses = [library["add"] for library in libraries]
    assert all(map(is_executable, addresses))
    del libraries
    gc.collect()
    assert sum(map(is_executable, addresses)) <= 1  # LLVM may keep a freed page for the next library


def test_threads_racing() -> None:
    code = object_code(ADD)
    answers: list[int] = []

    def work() -> None:
        for number in range(20):
            library = loader.load(code, ["twice"])
            answers.append(ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(library["twice"])(number))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(answers) == sorted([2 * number for number in range(20)] * 4)


@pytest.mark.processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_can_load() -> None:
    """Even while another thread of the parent is inside LLVM all the time."""
    code, stop = object_code(ADD), threading.Event()

    def busy() -> None:
        while not stop.is_set():
            loader.load(code, ["add"])

    other = threading.Thread(target=busy)
    other.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                library = loader.load(code, ["twice"])
                os._exit(ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(library["twice"])(4) - 8)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        other.join()


def test_host_cpu() -> None:
    name, features = loader.host_cpu()
    assert name
    assert all(feature[0] in "+-" for feature in features.split(",") if feature)
    assert loader.host_cpu() == (name, features)


@pytest.mark.processes
def test_quiet_at_the_end_of_the_interpreter() -> None:
    program = "from fuse.runtime import loader; import sys; loader.host_cpu(); sys.kept = loader._linker()"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
