"""What `explain` says of a jitted function."""

from pathlib import Path
from typing import Any

import numpy as np

import fuse

THIS = "test_explain.py"


@fuse.jit
def fused(x: Any, y: Any) -> Any:
    return np.sqrt(x * x + y)


@fuse.jit
def mixed(x: Any) -> Any:
    order = np.sort(x * 2)
    return order + 1 if x.mean() > 0 else order


def test_a_fused_function() -> None:
    found = fused.explain(np.arange(10.0), np.arange(10.0))
    assert len(found.kernels) == 1
    assert (found.library_steps, found.intermediates, found.timings) == ((), (), None)
    operations = [op for kernel in found.kernels for line in kernel.lines for op in line.ops]
    assert sorted(operations) == ["add", "multiply", "sqrt"]
    assert all(THIS in line.location for line in found.kernels[0].lines)
    assert "1 kernel" in str(found)


def test_explaining_keeps_the_plan_and_changes_nothing() -> None:
    @fuse.jit
    def writes(x: Any) -> Any:
        x[1:] = 5.0
        return x * 2

    x = np.arange(6.0)
    writes.explain(x, analyze=True)
    np.testing.assert_array_equal(x, np.arange(6.0))
    assert (writes.stats().recorded, writes.stats().replayed) == (1, 0)
    writes(x)
    assert (writes.stats().recorded, writes.stats().replayed) == (1, 1)
    np.testing.assert_array_equal(x[1:], 5.0)


def test_what_is_not_compiled_and_where() -> None:
    found = mixed.explain(np.arange(10.0))
    (step,) = found.library_steps
    assert step.call == "numpy.sort"
    assert THIS in step.location
    assert step.reason
    assert any("True" in guard for guard in found.guards)
    assert len(found.intermediates) == 1
    for text in ("numpy.sort", "not compiled", "materialised"):
        assert text in str(found)


def test_a_function_that_has_no_plan_says_why() -> None:
    kept: list[Any] = []

    @fuse.jit
    def keeps(x: Any) -> Any:
        kept.append(1)
        return x

    assert any("changes" in note for note in keeps.explain(np.arange(4.0)).notes)
    assert "<U1" in keeps.explain(np.array(["a", "b"])).library_steps[0].reason
    assert "no rows" in keeps.explain(np.zeros(0)).library_steps[0].reason


def test_times_when_analysed() -> None:
    found = fused.explain(np.arange(10.0), np.arange(10.0), analyze=True)
    assert found.timings is not None
    assert found.timings.run > 0
    assert "convert" in str(found)


def test_html(tmp_path: Path) -> None:
    found = mixed.explain(np.arange(10.0), analyze=True)
    page = found.to_html(tmp_path / "plan.html").read_text("utf-8")
    for text in ("<!doctype html>", "numpy.sort", THIS, "Kernel 1", "compile"):
        assert text in page
    for outside in ("<script", "http://", "https://", "src=", "<link"):
        assert outside not in page
    assert found._repr_html_() in page


def test_titles_are_escaped() -> None:
    namespace: dict[str, Any] = {}
    exec("f = lambda x: x * 2", namespace)
    page = fuse.jit(namespace["f"]).explain(np.arange(4.0))._repr_html_()
    assert "<lambda>" not in page
    assert "&lt;lambda&gt;" in page


@fuse.jit
def reshaped(x: Any) -> Any:
    x.shape = (x.size,)
    return x + 1


def test_what_no_recording_can_hold_is_told() -> None:
    """Setting an argument's shape ends a recording with no `Exception`: it is not to reach the user."""
    found = reshaped.explain(np.ones((3, 4)))
    assert [step.call for step in found.library_steps] == ["reshaped"]
    assert "shape" in found.library_steps[0].reason
    reshaped.prepare(np.ones((3, 4)))
    given = np.ones((3, 4))
    np.testing.assert_array_equal(reshaped(given), np.full(12, 2.0))
    assert given.shape == (12,)
