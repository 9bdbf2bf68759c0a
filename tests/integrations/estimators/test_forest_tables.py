"""Search trees find positions as `searchsorted` does; thresholds around zero are LightGBM's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuse.integrations.estimators.forest_tables import _without_tiny, search_tree
from fuse.ir.forest import ZERO_THRESHOLD, evaluate_forest


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(allow_nan=False, width=32), min_size=1, max_size=40, unique=True))
def test_search_trees(values: list[float]) -> None:
    table = np.unique(np.array(values))
    probes = np.concatenate(
        [table, np.nextafter(table, np.inf), np.nextafter(table, -np.inf), [0.0, 1e30, -1e30]]
    )
    found = evaluate_forest(search_tree(table), probes[:, None])[:, 0]
    np.testing.assert_array_equal(found, np.minimum(np.searchsorted(table, probes), len(table) - 1))


@pytest.mark.parametrize("threshold", [-1.0, -ZERO_THRESHOLD, -1e-40, -0.0, 0.0, 1e-40, ZERO_THRESHOLD, 1.0])
@pytest.mark.parametrize(
    "value", [-2.0, -ZERO_THRESHOLD, -1e-40, -0.0, 0.0, 1e-40, ZERO_THRESHOLD, 1.1e-35, 2.0]
)
def test_tiny_values_count_as_zero(threshold: float, value: float) -> None:
    read = 0.0 if abs(value) <= ZERO_THRESHOLD else value
    (moved,) = _without_tiny(np.array([threshold]))
    assert (value <= moved) == (read <= threshold)
