"""The order of the passes, each with the reason why it stands where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fuse.ir.node import Graph
from fuse.optimize.drop_unused_features import drop_unused_features
from fuse.optimize.flatten_rows import flatten_rows
from fuse.optimize.fold_constants import fold_constants
from fuse.optimize.fold_scaler_into_linear import fold_scaler_into_linear
from fuse.optimize.gather_into_slice import gather_into_slice
from fuse.optimize.merge_filters import merge_filters
from fuse.optimize.move_maps_into_thresholds import move_maps_into_thresholds
from fuse.optimize.one_hot_into_category_sets import one_hot_into_category_sets
from fuse.optimize.one_hot_into_gather import one_hot_into_gather
from fuse.optimize.prune_forest import prune_forest
from fuse.optimize.push_slices import push_slices
from fuse.optimize.share_reductions import share_reductions
from fuse.optimize.simplify import simplify
from fuse.optimize.sink_broadcasts import sink_broadcasts
from fuse.optimize.split_columns import split_columns
from fuse.optimize.write_out_products import write_out_products


@dataclass(frozen=True)
class Pass:
    """An entry: the pass, why it stands here, and the ops without which it has nothing to do (or none)."""

    run: Callable[[Graph], Graph]
    because: str
    needs: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.run.__name__


PIPELINE: tuple[Pass, ...] = (
    Pass(
        sink_broadcasts,
        because="first, so that the rules below see scalars and rows of parameters, not columns of them",
        needs=frozenset({"broadcast"}),
    ),
    Pass(fold_constants, because="parameters must be plain constants before rules can look at their values"),
    Pass(simplify, because="fewer spellings of one value for everything that matches patterns below"),
    Pass(
        gather_into_slice,
        because="a slice moves towards the inputs in the next pass; a gather stays where it is",
        needs=frozenset({"gather"}),
    ),
    Pass(
        push_slices,
        because="what is sliced away must be gone before columns are split and models are fed",
        needs=frozenset({"slice", "gather", "reshape"}),
    ),
    Pass(
        merge_filters,
        because="before columns are split, while a table is still one value and its filter one node",
        needs=frozenset({"compress"}),
    ),
    Pass(
        flatten_rows,
        because="before the passes that look at products: they know matrices",
        needs=frozenset({"dot"}),
    ),
    Pass(
        fold_scaler_into_linear,
        because="before columns are split: a scaled matrix that only feeds a dot is then never scaled at all",
        needs=frozenset({"dot"}),
    ),
    Pass(
        split_columns,
        because="turns tables into independent columns, which the two passes below and fusion work on",
        needs=frozenset({"stack", "concatenate", "forest", "dot", "reduce", "arg_reduce"}),
    ),
    Pass(
        one_hot_into_gather,
        because="needs the one-hot matrix as columns",
        needs=frozenset({"dot"}),
    ),
    Pass(
        move_maps_into_thresholds,
        because="needs the feature matrix as columns; what a threshold does instead is then dead",
        needs=frozenset({"forest"}),
    ),
    Pass(
        one_hot_into_category_sets,
        because="after the pass above, which makes every feature matrix one of float64 columns",
        needs=frozenset({"forest"}),
    ),
    Pass(
        prune_forest,
        because="after the two passes above, which leave the values that filters look at as features",
        needs=frozenset({"forest"}),
    ),
    Pass(
        drop_unused_features,
        because="needs the feature matrix as columns, and the weights that the passes above leave",
        needs=frozenset({"forest", "dot"}),
    ),
    Pass(
        write_out_products,
        because="after the passes that match products: what they leave that is tiny needs no loop of its own",
        needs=frozenset({"dot"}),
    ),
    Pass(
        share_reductions,
        because="last, over the columns that are left",
        needs=frozenset({"reduce"}),
    ),
)
