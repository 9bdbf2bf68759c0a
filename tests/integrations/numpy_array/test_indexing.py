"""Reading and writing by slices, masks and index arrays; views share what they should, and only that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.integrations.numpy_array.worlds import at_once, check, lazily, recorded

A = np.arange(24.0).reshape(4, 3, 2)
V = np.array([3.0, -1.0, 4.0, -1.5, 5.0, -9.0, 2.0])


class _Key:
    def __getitem__(self, key: Any) -> Any:
        return key


S = _Key()

BASIC = [
    S[1],
    S[-1],
    S[1:3],
    S[::-1],
    S[::2],
    S[..., 0],
    S[:, None],
    S[1, 2, 1],
    S[0, ..., 1],
    S[3:1],
    S[-3:-1],
    S[None],
    S[:, 1:, ::-1],
    S[5:],
    S[:, :, 0],
    S[...],
    S[()],
    S[1:100],
    S[::-2, 0],
    S[4],
    S[:, 3],
    S[-5],
    S[0, 0, 0, 0],
    S[1:2, 0:1],
    S[2:3:-1],
    S[np.int64(2)],
]


@pytest.mark.parametrize("key", BASIC, ids=repr)
def test_basic_reading_and_writing(key: Any) -> None:
    check(lambda np, x: (x + 0)[key], A)
    check(lambda np, x: x[key] * 2, A)

    def write(np: Any, x: Any) -> None:
        x[key] = 7

    def add(np: Any, x: Any) -> None:
        x[key] += 1

    check(write, A)
    check(add, A)


@pytest.mark.parametrize(
    "values", [np.zeros(2), np.ones((3, 2)), np.ones((1, 1, 3, 2)), np.ones(3), np.int8(3), 2.5, [5, 6]]
)
def test_values_broadcast_into_a_slice(values: Any) -> None:
    def write(np: Any, x: Any) -> Any:
        x[1:3] = values

    check(write, A)
    check(write, A.astype(np.int16))


def test_masks() -> None:
    check(lambda np, x: x[x > 0], V)
    check(lambda np, x: x[x > 0] * 2 + 1, V)
    check(lambda np, x: x[x > 5], A)
    check(lambda np, x: x[x[:, 0, 0] > 5], A)
    check(lambda np, x: x[x[:, :, 0] > 5], A)
    check(lambda np, x: x[:, np.array([True, False, True])], A)
    check(lambda np, x: x[[True, False, True, True]], A)
    check(lambda np, x: x[np.array([True, False])], A)
    check(lambda np, x: x[x > 0] + x[x < 0], V)
    check(lambda np, x: x[x > 0] + x[x < 4][:4], V)
    check(lambda np, x: len(x[x > 0]), V)
    check(lambda np, x: x[x > 0].shape, V)
    check(lambda np, x: x[x > 0].reshape(-1, 1), V)
    check(lambda np, x: x[x > 0].reshape(2, 2), V)
    check(lambda np, x: x[x > 0][::2].sum(), V)
    check(lambda np, x: x[x > 0][1], V)
    check(lambda np, x: x[x > 0][-1], V)
    check(lambda np, x: np.concatenate([x[x > 0], x[x < 0]]), V)
    check(lambda np, x: (x[x > 0], x[x > 0].mean()), V, rtol=1e-14)
    check(lambda np, x: x[x > 100], V)


def assigned(mask: Any, values: Any) -> Any:
    def program(np: Any, x: Any) -> None:
        x[mask(x)] = values(x)

    return program


def test_mask_assignment() -> None:
    for values in (
        lambda x: 0,
        lambda x: x[x < 0],
        lambda x: -x[x < 0] * 2,
        lambda x: np.arange(3),
        lambda x: [8, 9, 10],
    ):
        check(assigned(lambda x: x < 0, values), V)
    check(assigned(lambda x: x < 0, lambda x: np.arange(4)), V)
    check(assigned(lambda x: x < 0, lambda x: x[x > 0]), V)
    check(assigned(lambda x: x > 5, lambda x: 1.5), A)
    check(assigned(lambda x: x[:, 0, 0] > 5, lambda x: 1.5), A)
    check(assigned(lambda x: x[:, 0, 0] > 5, lambda x: np.arange(2.0)), A)
    check(assigned(lambda x: x > 5, lambda x: x[x > 5] + 1), A)
    check(assigned(lambda x: x > 5, lambda x: 1.5), A.astype(np.int32))
    check(assigned(lambda x: np.array([True]), lambda x: 0), V)

    def scaled(np: Any, x: Any) -> None:
        x[x < 0] *= 10

    check(scaled, V)


INDICES = [[0, 2], [-1, 0, 0], np.array([[0, 1], [2, 3]]), [], [4], [-5], np.array([1], np.uint8)]


@pytest.mark.parametrize("indices", INDICES, ids=repr)
def test_index_arrays(indices: Any) -> None:
    check(lambda np, x: x[indices], A)
    check(lambda np, x: x[:, indices], A)
    check(lambda np, x: np.take(x, indices, axis=0), A)
    check(lambda np, x: np.take(x, indices), V)

    def write(np: Any, x: Any) -> None:
        x[indices] = -1

    check(write, A)


def test_several_index_arrays() -> None:
    rows, columns = np.array([2, 0, 3]), np.array([1, 1, 0])
    check(lambda np, x: x[rows, columns], A)
    check(lambda np, x: x[rows[:, None], columns], A)
    check(lambda np, x: x[np.ix_(rows, columns[:2])], A)
    check(lambda np, x: x[rows, 1], A)
    check(lambda np, x: x[1, :, np.array([0, 1])], A)
    check(lambda np, x, i: x[i], V, rows)
    check(lambda np, x, i: x[i.argmax()], V, rows)
    check(lambda np, x: x[True], V)
    check(lambda np, x: x["a"], V)
    check(lambda np, x: x[1.5], V)


def test_views_write_to_their_base() -> None:
    def through(make: Any) -> Any:
        def program(np: Any, x: Any) -> Any:
            view = make(np, x)
            before = x.sum()
            view += 100
            view[..., 0] = -1
            return view, x, before

        return program

    for make in (
        lambda np, x: x[1:3],
        lambda np, x: x.T,
        lambda np, x: x.reshape(2, 12),
        lambda np, x: x.ravel(),
        lambda np, x: x[:, 0].T,
        lambda np, x: x[::-1, None],
        lambda np, x: np.swapaxes(x, 0, 2)[0],
        lambda np, x: x.T.reshape(-1),
        lambda np, x: x[:, 1:].reshape(4, 4),
        lambda np, x: x.copy(),
        lambda np, x: x[1:3][0][1:],
        lambda np, x: np.expand_dims(x, 1),
        lambda np, x: x[:1].squeeze(),
        lambda np, x: x.flatten(),
        lambda np, x: np.moveaxis(x, 0, -1),
        lambda np, x: np.flip(x, 1),
        lambda np, x: x[[0, 1]],
        lambda np, x: x + 0,
        lambda np, x: np.atleast_2d(x),
        lambda np, x: x.transpose(1, 0, 2),
    ):
        check(through(make), A)


def test_base_changes_are_seen_in_views() -> None:
    def program(np: Any, x: Any) -> Any:
        view, copy = x[1:].T, x[1:] * 1
        x *= 2
        x[2, 0] = 0
        return view, copy

    check(program, A)


def test_overlapping_assignment() -> None:
    def program(np: Any, x: Any) -> Any:
        x[1:] = x[:-1]
        x[:, 0] = x[:, 1]
        x += x[::-1]
        return x

    check(program, A)


def test_values_are_those_of_the_call() -> None:
    def program(np: Any, x: Any) -> Any:
        later = x * 2
        x[0] = 99
        again = x * 2
        return later, again

    check(program, V)


def test_real_arrays_share_their_memory() -> None:
    import fuse.numpy as fnp

    for world in (at_once, lazily):
        source = np.arange(5.0)
        a = fnp.asarray(source)
        doubled = a * 2
        a[1] = 50
        assert source[1] == 50
        source[2] = 60
        assert a[2] == 60
        assert np.array_equal(np.asarray(doubled), np.arange(5.0) * 2)
        assert world is not None


def test_buffers_handed_out_do_not_diverge() -> None:
    import fuse.numpy as fnp
    from fuse import config

    with config.config(min_rows=0):
        a = fnp.arange(6.0) * 1
        b = a + 1
        buffer = np.asarray(a)
        a += 10
        assert np.array_equal(buffer, np.arange(6.0) + 10)
        buffer[0] = -1
        assert a[0] == -1
        view = a[1:3]
        view[:] = 0
        assert np.array_equal(buffer[:4], [-1, 0, 0, 13])
        assert np.array_equal(np.asarray(b), np.arange(6.0) + 1)


def test_results_of_one_expression_are_apart() -> None:
    import fuse.numpy as fnp
    from fuse import config

    with config.config(min_rows=0):
        x = fnp.arange(4.0)
        a, b, c, d = np.sin(x), np.sin(x), x.copy(), x[:]
        first = np.asarray(a)
        first[:] = 0
        d[0] = 9
        c[1] = 8
        assert np.array_equal(np.asarray(b), np.sin(np.arange(4.0)))
        assert (x.tolist(), c.tolist()) == ([9.0, 1.0, 2.0, 3.0], [0.0, 8.0, 2.0, 3.0])


def test_large_arrays_that_are_read_are_protected() -> None:
    import fuse.numpy as fnp

    source = np.zeros(200_000)
    pending = fnp.add(source, 1)
    with pytest.raises(ValueError, match="read-only"):
        source[0] = 5
    assert float(pending.sum()) == 200_000
    del pending
    source[0] = 5


def test_arguments_are_left_alone_by_a_failure() -> None:
    def program(np: Any, x: Any) -> None:
        x += np.ones(3)

    check(program, V)
    assert recorded(program, [V])[1][0].tolist() == V.tolist()
