"""The workloads in the order of the table.

Each module has `rows(settings)`, which makes its data, checks the results and yields its rows; the first line
of its docstring says what it is.
"""

from __future__ import annotations

import importlib
from typing import Any

NAMES = (
    "breast_cancer",
    "black_scholes",
    "crime_index",
    "filter_sum",
    "math_functions",
    "math_kernels",
    "accuracy",
    "identical_bits",
    "compile_time",
    "dispatch",
    "small_inputs",
    "taxi_fare",
    "churn",
    "kmeans",
    "softmax",
    "haversine",
    "image_batch",
    "memory",
    "jacobi_2d",
    "heat_3d",
    "shallow_water",
)


def load(name: str) -> Any:
    """The module of a workload. ValueError for an unknown name."""
    if name not in NAMES:
        raise ValueError(f"no workload is called {name!r}; there are {', '.join(NAMES)}")
    return importlib.import_module(f"bench.workloads.{name}")
