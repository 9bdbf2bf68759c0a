"""Shapes, joins, products, creation and conversion, against NumPy."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import fuse.numpy as fnp
from fuse import config
from fuse.integrations.capture.recording import recording
from fuse.integrations.capture.report import report
from fuse.integrations.numpy_array.base import LazyArray, from_array
from tests.integrations.numpy_array.worlds import at_once, check, lazily

A = np.arange(24.0).reshape(4, 3, 2)
V = np.array([3.0, -1.0, 4.0, -1.5])

SHAPED: list[Any] = [
    lambda np, x: x.reshape(6, 4),
    lambda np, x: x.reshape(-1),
    lambda np, x: x.reshape((2, -1)),
    lambda np, x: x.reshape(5, -1),
    lambda np, x: x.reshape(7),
    lambda np, x: x.reshape(-1, -1),
    lambda np, x: np.reshape(x, (3, 8)),
    lambda np, x: x.reshape(4, -1),
    lambda np, x: x.reshape(24, order="F"),
    lambda np, x: x.T,
    lambda np, x: x.transpose(2, 0, 1),
    lambda np, x: x.transpose((1, 0, 2)),
    lambda np, x: x.transpose(0, 1),
    lambda np, x: x.transpose(0, 0, 1),
    lambda np, x: x.transpose(0, 1, 3),
    lambda np, x: np.swapaxes(x, 0, -1),
    lambda np, x: np.moveaxis(x, 0, 2),
    lambda np, x: np.moveaxis(x, [0, 1], [2, 0]),
    lambda np, x: np.moveaxis(x, 3, 0),
    lambda np, x: np.expand_dims(x, (0, 2)),
    lambda np, x: np.squeeze(x[:1]),
    lambda np, x: np.squeeze(x, 0),
    lambda np, x: x[:, :1].squeeze(axis=1),
    lambda np, x: x.ravel() + 1,
    lambda np, x: x.flatten(),
    lambda np, x: np.broadcast_to(x, (2, 4, 3, 2)) + 0,
    lambda np, x: np.broadcast_to(x, (3, 4)),
    lambda np, x: np.flip(x),
    lambda np, x: np.flip(x, (0, 1)),
    lambda np, x: np.fliplr(x),
    lambda np, x: np.rot90(x),
    lambda np, x: (np.atleast_1d(x[0, 0, 0]), np.atleast_2d(x[0, 0]), np.atleast_3d(x[0])),
    lambda np, x: x.mT,
    lambda np, x: (x.shape, x.ndim, x.size, x.nbytes, x.itemsize, x.dtype, len(x)),
    lambda np, x: np.shape(x),
    lambda np, x: np.diff(x),
    lambda np, x: np.diff(x, axis=0),
    lambda np, x: np.roll(x, 1),
    lambda np, x: np.sort(x, 0),
    lambda np, x: np.tile(x, 2),
    lambda np, x: np.repeat(x, 2),
    lambda np, x: np.split(x, 2),
    lambda np, x: np.ptp(x, 1),
    lambda np, x: np.zeros_like(x),
    lambda np, x: np.full_like(x, 7, dtype=int),
    lambda np, x: np.ones_like(x, np.float32),
    lambda np, x: x.astype(int),
    lambda np, x: x.astype("f4") * 2,
    lambda np, x: x.astype(bool),
    lambda np, x: x.astype(str),
    lambda np, x: x.astype(np.int8, casting="safe"),
    lambda np, x: np.copy(x) + 1,
    lambda np, x: x.astype(complex),
]


@pytest.mark.parametrize("program", SHAPED, ids=range(len(SHAPED)))
def test_shapes(program: Any) -> None:
    check(program, A)


JOINED: list[Any] = [
    lambda np, x, y: np.concatenate([x, y]),
    lambda np, x, y: np.concatenate([x, y], axis=1),
    lambda np, x, y: np.concatenate([x, y], axis=None),
    lambda np, x, y: np.concatenate([x, y[0]]),
    lambda np, x, y: np.concatenate([x, y[:, :2]]),
    lambda np, x, y: np.concatenate([x, y[:, :2]], 1),
    lambda np, x, y: np.concatenate([x, y], axis=2),
    lambda np, x, y: np.concatenate([]),
    lambda np, x, y: np.stack([x, y]),
    lambda np, x, y: np.stack([x, y], -1),
    lambda np, x, y: np.stack([x, y[0]]),
    lambda np, x, y: np.vstack([x, y[0]]),
    lambda np, x, y: np.hstack([x, y]),
    lambda np, x, y: np.hstack([x[0], y[1]]),
    lambda np, x, y: np.dstack([x, y]),
    lambda np, x, y: np.column_stack([x, y[:, 0]]),
    lambda np, x, y: np.column_stack([x[:, 0], y[:, 1], x[:, 2] > 1]),
    lambda np, x, y: np.column_stack([x[0], y]),
    lambda np, x, y: np.where(x > y, x, 0),
    lambda np, x, y: np.where(x, 1, 2.5),
    lambda np, x, y: np.where(x > 2),
    lambda np, x, y: np.array([x[0], y[0]]),
    lambda np, x, y: np.array([x[0, 0], y[1, 1], 3]),
    lambda np, x, y: np.c_[x[:, 0], y],
    lambda np, x, y: np.append(x, y),
    lambda np, x, y: np.array_equal(x, y),
    lambda np, x, y: np.allclose(x, y, atol=100),
]


@pytest.mark.parametrize("program", JOINED, ids=range(len(JOINED)))
def test_joins(program: Any) -> None:
    rng = np.random.default_rng(0)
    check(program, rng.normal(size=(4, 3)), rng.integers(0, 9, (4, 3)).astype(np.int16))


PRODUCTS: list[Any] = [
    lambda np, m, v: m @ v,
    lambda np, m, v: v @ v,
    lambda np, m, v: m @ m,
    lambda np, m, v: m @ m.T,
    lambda np, m, v: np.dot(m, m),
    lambda np, m, v: m.dot(v),
    lambda np, m, v: m[:2] @ m,
    lambda np, m, v: m @ m[:2],
    lambda np, m, v: np.dot(m, v[:2]),
    lambda np, m, v: np.matmul(v[:, None], v[None]),
    lambda np, m, v: m @ 3,
    lambda np, m, v: m.astype(int) @ v.astype(int),
    lambda np, m, v: np.stack([m, m]) @ v,
    lambda np, m, v: m.astype("f4") @ v,
    lambda np, m, v: np.einsum("ij,j", m, v),
    lambda np, m, v: np.linalg.norm(v),
]


@pytest.mark.parametrize("program", PRODUCTS, ids=range(len(PRODUCTS)))
def test_products(program: Any) -> None:
    m = np.random.default_rng(2).random((4, 4)) + 1
    check(program, m, m[0], rtol=1e-6)


CREATED: list[Any] = [
    lambda np, x: np.zeros(4) + x,
    lambda np, x: np.ones((2, 4), np.int8) * x,
    lambda np, x: np.full(4, 2.5) - x,
    lambda np, x: np.full((2, 4), x),
    lambda np, x: np.arange(4) * x,
    lambda np, x: np.arange(1, 9, 2) + x,
    lambda np, x: np.arange(0.5, 4) + x,
    lambda np, x: np.arange(4, 0, -1, dtype=np.int16) + x,
    lambda np, x: np.eye(4) * x,
    lambda np, x: np.linspace(0, 1, 4) + x,
    lambda np, x: np.arange(len(x)) + x,
    lambda np, x: np.zeros(x.shape) + x,
    lambda np, x: np.array([1, 2, 3, 4]) + x,
    lambda np, x: np.asarray(x) is x,
    lambda np, x: np.array(x) + 1,
    lambda np, x: np.asarray(x, np.float32),
    lambda np, x: np.array([[1, 2], [3, 4]], dtype=np.uint8),
    lambda np, x: np.array(3.5),
    lambda np, x: np.zeros(()),
    lambda np, x: np.empty(0),
    lambda np, x: np.arange(0),
    lambda np, x: np.zeros(-1),
    lambda np, x: np.array([1, 2], ndmin=2),
    lambda np, x: np.meshgrid(x, x),
]


@pytest.mark.parametrize("program", CREATED, ids=range(len(CREATED)))
def test_creation(program: Any) -> None:
    check(program, V)


@pytest.mark.parametrize(
    "array", [V, A, np.arange(5), np.zeros((0, 3)), np.array(2.5), np.arange(2000.0), V > 0], ids=repr
)
def test_printing_and_conversion(array: np.ndarray) -> None:
    for world in (at_once, lazily):
        limit = 0 if world is lazily else 4096
        with config.config(min_rows=limit):
            lazy = from_array(array.copy())
            made = lazy + 0 if array.dtype != bool else lazy | False
            assert repr(made) == repr(array + 0 if array.dtype != bool else array)
            assert str(made) == str(array)
            assert made.tolist() == array.tolist()
            assert made.tobytes() == array.tobytes()
            again = pickle.loads(pickle.dumps(made))
            assert type(again) is type(made) or array.ndim == 0
            assert np.array_equal(np.asarray(again), array)
            for twin in (copy.copy(made), copy.deepcopy(made)) if array.ndim else ():
                twin[...] = 0
                assert made.tolist() == array.tolist()
            assert array.ndim == 0 or np.array_equal(np.from_dlpack(made), array)
            assert [*map(repr, made)] == [*map(repr, array)] if array.ndim else True


def test_scalars_print_and_pickle_as_numpys() -> None:
    with config.config(min_rows=0):
        total = from_array(V).sum()
        assert isinstance(total, LazyArray)
        assert (repr(total), f"{total:.2f}", str(total)) == (repr(V.sum()), f"{V.sum():.2f}", str(V.sum()))
        assert hash(total) == hash(V.sum())
        assert type(pickle.loads(pickle.dumps(total))) is np.float64
        before = total
        total += 1
        assert (float(before), float(total)) == (V.sum(), V.sum() + 1)


def test_unhashable_and_unknown_attributes() -> None:
    check(lambda np, x: hash(x), V, worlds=(at_once, lazily))
    check(lambda np, x: bool(x), V, worlds=(at_once, lazily))
    check(lambda np, x: float(x), V, worlds=(at_once, lazily))
    check(lambda np, x: x.nothing, V, worlds=(at_once, lazily))
    check(lambda np, x: x.sort(), V)
    check(lambda np, x: x.fill(3), V)
    check(lambda np, x: x.searchsorted(2.0), np.sort(V))
    check(lambda np, x: x.cumsum(), V)
    check(lambda np, x: x.argsort() + 1, V)
    check(lambda np, x: x.item(1), V)
    check(lambda np, x: x.diagonal(), A)
    check(lambda np, x: np.copyto(x, 5.0), V)
    check(lambda np, x: np.putmask(x, x > 0, -7), V)


def test_the_face_has_every_name() -> None:
    assert set(dir(np)) <= set(dir(fnp))
    for name in np.__all__:
        getattr(fnp, name)
    assert fnp.float64 is np.float64
    assert isinstance(np.ones(3), fnp.ndarray)
    assert isinstance(fnp.ones(3), fnp.ndarray)
    assert not isinstance([1.0], fnp.ndarray)
    assert type(fnp.load) is type(fnp.sum)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = fnp.nothing


def test_plain_numpy_functions_record_on_lazy_arrays() -> None:
    with config.config(min_rows=0):
        x = from_array(V)
        report().clear()
        for found in (
            np.log1p(x),
            np.sum(x),
            np.where(x > 0, x, 0),
            np.column_stack([x, x]),
            np.clip(x, 0, 1),
            x @ x,
        ):
            assert isinstance(found, LazyArray)
            assert found._storage.array is None
        assert not report().fallbacks
        assert isinstance(np.unwrap(x), LazyArray)
        assert [fallback.call for fallback in report().fallbacks] == ["numpy.unwrap"]


def test_random_numbers_in_a_recording_are_a_step() -> None:
    with recording() as run:
        noise = fnp.random.random(5) + 1
        assert noise.shape == (5,)
    assert len(run.events) == 1
    assert run.tainted is None
    with recording() as run:
        fnp.random.default_rng(0)
    assert run.tainted is not None


def test_what_python_sees_in_a_recording_is_guarded() -> None:
    from fuse.integrations.numpy_array.carrier import CARRIER
    from fuse.ir import build
    from fuse.ir.types import Symbol

    array = np.arange(5.0)
    with recording() as run:
        node = run.argument(array, build.new_input(array.dtype, (Symbol("n"),)))
        x = CARRIER.stand_in(array, [node])
        assert float(x.sum()) == 10
        assert x.shape == (5,)
        assert x.sum() > 3
    kinds = [type(event).__name__ for event in run.events]
    assert kinds == ["Guard", "SizeGuard", "Guard"]
    assert run.tainted is None
    with recording() as run:
        run.argument(array, node)
        np.asarray(CARRIER.stand_in(array, [node]))
    assert run.tainted is not None


def test_pandas_operands_decide() -> None:
    pd = pytest.importorskip("pandas")
    series = pd.Series(V, index=list("abcd"))
    for limit in (0, 4096):
        with config.config(min_rows=limit):
            x = from_array(V)
            for found in (
                x + series,
                np.add(x, series),
                fnp.add(x, series),
                series * x,
                np.log1p(np.abs(series)),
            ):
                assert isinstance(found, pd.Series)
                assert list(found.index) == list("abcd")
            assert np.array_equal(np.asarray(fnp.where(series > 0, series, 0)), np.where(V > 0, V, 0))
            assert np.array_equal(np.asarray(fnp.column_stack([series, x])), np.column_stack([V, V]))


def test_other_front_ends_give_their_nodes() -> None:
    """What has `__fuse_node__` takes part without being looked at."""
    from fuse.ir import build
    from fuse.ir.node import Node

    class Column:
        node: Node = build.new_input(np.dtype(np.float64), (4,))

        def __fuse_node__(self) -> Node:
            return self.node

    with recording():
        found = fnp.column_stack([Column(), fnp.where(Column(), 1, 2)])
        assert found._node.op == "stack"
        assert Column.node in found._node.inputs


def test_pending_expressions_are_computed_together() -> None:
    with config.config(min_rows=0):
        x = from_array(V)
        first, second, total = x + 1, x * 2, (x - 3).sum()
        other = from_array(V[::-1].copy()) + 1
        repr(first)
        assert second._storage.array is not None
        assert total._storage.array is not None
        assert other._storage.array is None


def test_an_index_out_of_range_is_raised_where_it_is_observed() -> None:
    with config.config(min_rows=0, raise_internal=False):
        x = from_array(V)
        wrong = x[from_array(np.array([0, 9])) + 0]
        fine = x + 1
        assert np.array_equal(np.asarray(fine), V + 1)
        with pytest.raises(IndexError, match="index 9 is out of bounds"):
            repr(wrong)
