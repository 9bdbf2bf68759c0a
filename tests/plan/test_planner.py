"""What is fused with what: the kernels that graphs of the main kinds become."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fuse.ir import build
from fuse.ir.node import Graph, Node
from fuse.ir.types import Symbol
from fuse.plan.classify import role_of
from fuse.plan.kernels import BASE, KEPT, Dot, LoadMatrix, Map, to_text
from fuse.plan.planner import make_plan
from fuse.plan.steps import KernelStep, LibraryStep, Plan

N = Symbol("n")
op = build.elementwise


def column(slot: int, dtype: str = "float64") -> Node:
    return build.input_at(slot, np.dtype(dtype), (N,))


def plan_of(*outputs: Node) -> Plan:
    graph = Graph(outputs)
    return make_plan(graph, graph.inputs())


def kernels(plan: Plan) -> list[KernelStep]:
    return [step for step in plan.steps if isinstance(step, KernelStep)]


def maps(step: KernelStep) -> list[Map]:
    return [stage for stage in step.kernel.stages if isinstance(stage, Map)]


def roles(step: KernelStep) -> Sequence[str]:
    return [buffer.role for buffer in step.kernel.buffers]


def test_everything_over_the_same_rows_is_one_kernel() -> None:
    a, b = column(0), column(1)
    (step,) = kernels(plan_of(op("exp", a), op("add", a, b), build.reduce("sum", b), build.reduce("max", a)))
    assert len(maps(step)) == 1
    assert roles(step).count("load") == 2


def test_a_value_that_waits_for_a_reduction_is_computed_in_a_second_kernel() -> None:
    a = column(0)
    mean = op("divide", build.reduce("sum", a), build.constant(3.0))
    plan = plan_of(op("subtract", a, mean))
    assert [type(step) for step in plan.steps] == [KernelStep, LibraryStep, KernelStep]


def test_a_dear_value_of_two_kernels_is_stored_and_a_cheap_one_is_not() -> None:
    a = column(0)
    for dear, cheap in ((op("erf", op("log", op("exp", a))), False), (op("negative", a), True)):
        total = build.reduce("sum", dear)
        first, *_ = kernels(plan_of(op("subtract", dear, total)))
        assert ("store" in roles(first)) is not cheap


def test_a_filtered_sum_masks_and_a_filtered_column_compacts() -> None:
    a = column(0)
    kept = build.compress(a, op("greater", a, build.constant(0.0)))
    (masked,) = kernels(plan_of(build.reduce("sum", kept)))
    assert [stage.compaction for stage in maps(masked)] == [None]
    assert maps(masked)[0].reductions[0].predicate is not None
    (compacted,) = kernels(plan_of(kept))
    assert [stage.track for stage in maps(compacted)] == [BASE, KEPT]
    assert maps(compacted)[0].compaction is not None


def test_two_filters_are_two_kernels() -> None:
    a = column(0)
    masks = [op(name, a, build.constant(0.0)) for name in ("greater", "less")]
    assert len(kernels(plan_of(*(build.compress(a, mask) for mask in masks)))) == 2


def test_a_product_stands_between_two_maps() -> None:
    columns = build.stack([column(0), column(1)], 1)
    product = build.dot(columns, build.constant(np.ones((2, 20))))
    (step,) = kernels(plan_of(op("exp", build.column(product, 3))))
    assert [type(stage) for stage in step.kernel.stages] == [Map, Dot, Map]


def test_many_columns_of_a_matrix_are_read_row_by_row_and_few_with_a_stride() -> None:
    matrix = build.input_at(0, np.dtype(float), (N, 9))
    for width, is_read_whole in ((9, True), (2, False)):
        total = build.column(matrix, 0)
        for j in range(1, width):
            total = op("add", total, build.column(matrix, j))
        (step,) = kernels(plan_of(total))
        assert any(isinstance(stage, LoadMatrix) for stage in step.kernel.stages) is is_read_whole


def test_views_and_small_values_are_no_kernels() -> None:
    a = build.input_at(0, np.dtype(float), (N, 4))
    assert role_of(build.transpose(a, (1, 0))) == "step"
    assert role_of(op("exp", build.input_at(1, np.dtype(float), (7,)))) == "step"


def test_constants_and_lengths_are_not_in_the_code() -> None:
    texts = set()
    for scale, length in ((2.0, 10_000), (3.5, 20_000)):
        a = build.new_input(np.dtype(float), (length,))
        (step,) = kernels(plan_of(op("multiply", a, build.constant(scale))))
        texts.add(to_text(step.kernel))
    assert len(texts) == 1


def test_a_divisor_is_in_the_code() -> None:
    a = column(0, "int64")
    (step,) = kernels(plan_of(op("floor_divide", a, build.constant(7))))
    assert "literal 7" in to_text(step.kernel)
