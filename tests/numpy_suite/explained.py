"""Failures with a known reason: a test of NumPy's insides, or a gap that the reason names.

A line is a pattern for `test  error  line of the test`, as `re.search` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.numpy_suite.outcomes import Outcome

EXPLAINED: Sequence[tuple[str, str]] = (
    (
        r"getrefcount|TestLeaks|_check_(multi|single)_index",
        "counts references to an array's object or memory; a lazy array has others",
    ),
    (
        r"\.base is|\.base\)|assert_\(a is ia|iters\[0\]",
        "asks for the object that owns the memory; a lazy view has its storage instead",
    ),
    (
        r"type\([\w.\[\]]+\) (is|==) np\.ndarray|type\(\w+\), np\.ndarray",
        "what NumPy ran on a derived class gave a real array: an instance of ours, but not of the type",
    ),
    (
        r"TestCApiAccess|_add_newdoc_ufunc|add_docstring|ufunc_docstring|TestAddDocstring",
        "calls NumPy's C functions for its own objects, or writes to their docstrings",
    ),
    (
        r"__array__ method not producing an array",
        "NumPy's C code wants a real array from `__array__`; a method that gives a lazy one must call "
        "`numpy.asarray`",
    ),
    (
        r"memoryview: a bytes-like object is required|a bytes-like object is required, not",
        "the buffer protocol for classes written in Python begins with Python 3.12",
    ),
    (
        r"DID NOT WARN|assert_?(_equal)?\(?\(?len\((w|sup\.log)\)|No warnings of type",
        "floating-point warnings come when a value is computed, and nothing has looked at it",
    ),
    (
        r"f_contiguous|c_contiguous|test_memory_order|test_array_order_preserve|shares_memory|\.strides",
        "results of compiled code are in C order, whatever the order of the operands",
    ),
    (
        r"TestNeighborhoodIter|TestCTypes|corrupt_or_fix|must be an array or void scalar|array_struct",
        "hands the array to a C function that takes NumPy's own arrays only",
    ),
    (
        r"TestTextSignatures|test_device|TestDevice",
        "reads the signature of a method written in C, or the message of an attribute that cannot be set",
    ),
    (
        r"longer than \d+ s",
        "many thousand items set one by one with recording forced: each step is planned anew",
    ),
    (
        r"assert_?\(? ?result is arr|_replace_nan|memmap",
        "calls a private function of NumPy, or asks for the class `memmap` of a result",
    ),
)


def reason(outcome: Outcome) -> str | None:
    """Why a failure is none of ours, if it is in the table."""
    text = f"{outcome.test}  {outcome.error}  {outcome.line}"
    return next((why for pattern, why in EXPLAINED if re.search(pattern, text)), None)
