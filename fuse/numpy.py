"""NumPy's module, lazily: `import fuse.numpy as np`.

Every name of NumPy is here. Functions give lazy arrays that are computed, fused, when somebody looks at them;
`ndarray` is the lazy array's class, and real arrays count as its instances. Names that fuse does not know are
NumPy's own. Loading this module loads NumPy and nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fuse.integrations.numpy_array.face import lookup, names

__all__ = list(np.__all__)


def __getattr__(name: str) -> Any:
    """A name of NumPy, found on first use. Raises AttributeError for what NumPy has not."""
    try:
        found = lookup(name)
    except AttributeError as error:
        raise AttributeError(str(error).replace("module 'numpy'", "module 'fuse.numpy'"), name=name) from None
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*names(), *globals()})
