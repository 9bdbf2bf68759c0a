"""`fuse.evaluate`: several lazy objects in one pass over the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from fuse.integrations.capture.values import values
from fuse.integrations.jit.carriers import lazy_carrier


def evaluate(*objects: Any) -> Any:
    """The real NumPy and pandas objects of lazy ones, computed together, in as few passes as there can be.

    One object in, one object out; several in, a tuple out. What is not lazy is given back as it is.
    """
    carriers = [lazy_carrier(value) for value in objects]
    pairs = zip(objects, carriers, strict=True)
    computed = values(
        [node for value, carrier in pairs if carrier is not None for node in carrier.nodes(value)]
    )
    results = tuple(
        value if carrier is None else _observed(value, carrier)
        for value, carrier in zip(objects, carriers, strict=True)
    )
    del computed  # the arrays were kept until here, whatever became of their nodes
    return results[0] if len(objects) == 1 else results


def _observed(value: Any, carrier: Any) -> Any:
    """The real object as its library's own way out gives it, so that writing to it changes nothing lazy."""
    if hasattr(value, "iloc"):
        import pandas as pd

        return pd.DataFrame(value) if value.ndim == 2 else pd.Series(value)
    return carrier.rebuild(value)([np.asarray(value)])
