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
        r"_view_is_safe|Cannot change data-type for array of references",
        "a real array's own `view` knows NumPy's class only, not `fuse.numpy.ndarray`",
    ),
    (
        r"_stride_xxx_0|type\(res\) is np\.dtype|isinstance\(actual, np\.float64\)|test_collections_hashable",
        "asks for the exact type of a result: what fuse makes of a real array, or of a scalar, is lazy",
    ),
    (
        r"test needs ndarray input|must be numpy\.ndarray, not ndarray|lapack_lite|iterators\.c"
        r"|test_extension_incref_elide|SeedSequence expects",
        "hands the array to a C function that takes NumPy's own arrays only",
    ),
    (
        r"object supporting the buffer API required",
        "the buffer protocol for classes written in Python begins with Python 3.12",
    ),
    (
        r"getsizeof|test_check_(reference|weakref)|owndata",
        "asks for the size or the owner of the memory, or counts references to it",
    ),
    (
        r"pickle\.loads\(astring\) is np\.cos",
        "a ufunc that was pickled by NumPy comes back as NumPy's, equal to ours but not the same object",
    ),
    (
        r"assignment destination is read-only",
        "broadcast arrays cannot be written to; NumPy still allows it, with a warning",
    ),
    (
        r"shuffle_no_object_unpacking|choice_return_shape",
        "an array of objects that are lazy arrays holds real ones",
    ),
    (
        r"diff\(x, n=0\) is x|test_ufunc_binop_interaction|test_output_ellipsis_errors",
        "asks for the very list that was given, for a refusal's wording, or calls a special method itself",
    ),
    (
        r"test_dot_3args",
        "compares the bits of a product with those of another call, which BLAS sums in another order",
    ),
    (
        r"TestFlat::|test_flat_element_deletion",
        "`flat` is an iterator of ours over the evaluated elements",
    ),
    (
        r"test_shuffle_untyped_warning|test_ufunc_at_inner_loops",
        "compares the line or the order of warnings that NumPy gives inside of a step",
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
