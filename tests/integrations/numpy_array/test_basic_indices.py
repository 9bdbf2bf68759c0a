"""Basic indices of elements that are there: NumPy's views and errors, spelled out when a graph needs them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fuse
import fuse.numpy as fnp
from fuse import config

KEYS: tuple[Any, ...] = (
    2, -1, slice(1, -1), slice(None, None, -2), slice(5, 1, -1), Ellipsis, None, (), (1, 2),
    (1, slice(1, -1)),
    (slice(None), -1), (Ellipsis, 0), (None, 2, ..., None), (slice(3, 3), 1), (..., slice(1, None, 2), None),
)  # fmt: skip


def arrays() -> tuple[Any, np.ndarray]:
    plain = np.arange(4.0 * 5 * 3).reshape(4, 5, 3)
    return fnp.array(plain), plain


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("again", [None, 0, slice(None, None, -1)], ids=str)
def test_views_of_what_is_there(key: Any, again: Any) -> None:
    ours, plain = arrays()
    view, expected = ours[key], plain[key]
    if again is not None and expected.ndim:
        if expected.shape[0] == 0 and again == 0:
            return
        view, expected = view[again], expected[again]
    assert np.shape(view) == expected.shape
    np.testing.assert_array_equal(view, expected)
    with config.config(min_rows=0):
        np.testing.assert_array_equal(fnp.sqrt(view) * 2.0 + 1.0, np.sqrt(expected) * 2.0 + 1.0)


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("rows", [0, 4096])
def test_writes_through_views(key: Any, rows: int) -> None:
    ours, plain = arrays()
    view, expected = ours[key], plain[key]
    if not np.ndim(expected):
        return
    with config.config(min_rows=rows):
        pending = ours * 2.0
        before = plain * 2.0
        view += 1.0
        expected += 1.0
        view[...] = view * 3.0
        expected[...] = expected * 3.0
        ours[0] = ours[1] + 1.0
        plain[0] = plain[1] + 1.0
        np.testing.assert_array_equal(view, expected)
        np.testing.assert_array_equal(ours, plain)
        np.testing.assert_array_equal(pending, before)


def test_a_view_sees_what_became_of_its_base() -> None:
    ours, plain = arrays()
    view, expected = ours[1:, 2], plain[1:, 2]
    for _ in range(3):
        np.testing.assert_array_equal(view, expected)
        with config.config(min_rows=0):
            ours *= 1.5
            plain *= 1.5
            ours[2] = -ours[1]
            plain[2] = -plain[1]
    np.testing.assert_array_equal(view, expected)
    whole, flat = ours[1:], plain[1:].reshape(-1)
    assert whole.tolist() == plain[1:].tolist()
    whole.shape = (45,)
    assert whole.tolist() == flat.tolist()


@pytest.mark.parametrize("key", [4, -5, (0, 5), (0, 0, 0, 0), (slice(None, None, 0),), (1.0,)], ids=str)
def test_errors_are_numpys(key: Any) -> None:
    ours, plain = arrays()
    with pytest.raises((IndexError, ValueError)) as expected:
        plain[key]
    with pytest.raises(type(expected.value)) as found:
        ours[key]
    assert str(found.value) == str(expected.value)


def test_views_from_outside_of_a_recording() -> None:
    ours, plain = arrays()
    part, expected = ours[1:3, 1], plain[1:3, 1]

    @fuse.jit
    def shifted(x: Any) -> Any:
        return x + part

    with config.config(min_rows=0):
        for shift in range(3):
            x = np.full((2, 3), float(shift))
            np.testing.assert_array_equal(shifted(x), x + expected)


@pytest.mark.parametrize("rows", [0, 4096])
def test_an_array_that_is_copied_for_a_write_keeps_its_order(rows: int) -> None:
    plain = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    ours = fnp.array(plain)
    with config.config(min_rows=rows):
        reader = ours * 2.0  # pending, so the write goes to other memory
        fnp.copyto(ours, ours, where=ours == 0)
        ours.ravel()[:2] = 300.0  # a copy of what lies in columns
        np.testing.assert_array_equal(ours, plain)
        np.testing.assert_array_equal(reader, plain * 2.0)
