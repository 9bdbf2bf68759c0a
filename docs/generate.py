"""Writes the generated parts of the pages: `make docs`, or `python -m docs.generate`.

A page marks such a part by `<!-- generated: name -->` and `<!-- end -->`. The text between is made from the
tables of the code, so a page cannot say what the code does not do; `tests/test_docs.py` compares. Left out:
`accuracy.md`, which is measured (`make accuracy`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from docs import example, numpy_names, tables
from fuse.integrations.estimators import registry

ROOT = Path(__file__).resolve().parents[1]
ESTIMATORS = ROOT / "docs" / "estimators.md"
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))

PARTS: Mapping[str, Callable[[], str]] = {
    "versions": tables.versions,
    "settings": tables.settings,
    "passes": tables.passes,
    "scalar_ops": tables.scalar_ops,
    "array_ops": tables.array_ops,
    "reductions": tables.reductions,
    **numpy_names.PARTS,
    "pandas_frame": tables.pandas_frame,
    "pandas_series": tables.pandas_series,
    "pandas_known": tables.pandas_known,
    "pandas_dates": tables.pandas_dates,
    "pandas_categories": tables.pandas_categories,
    "pandas_observing": tables.pandas_observing,
    "pandas_not": tables.pandas_not,
    "example": example.source,
    "example_graph": example.graph,
    "example_optimized": example.optimized,
    "example_kernels": example.kernels,
    "example_explained": example.explained,
}

_MARK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def parts_of(text: str) -> list[str]:
    """The names of the generated parts of a page."""
    return [match[2] for match in _MARK.finditer(text)]


def filled(text: str) -> str:
    """A page with its generated parts made anew. KeyError for a part that nobody makes."""
    return _MARK.sub(lambda match: f"{match[1]}{PARTS[match[2]]().rstrip()}\n{match[3]}", text)


def pages() -> dict[Path, str]:
    """What every page with generated parts should be."""
    found = {page: filled(page.read_text("utf-8")) for page in PAGES}
    found[ESTIMATORS] = registry.page()
    return found


def main() -> None:
    """Write the pages that are not what they should be."""
    for page, text in pages().items():
        if page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")
            print(f"wrote {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
