"""The pages say what the code does: generated parts are current, names exist, links lead somewhere.

Their examples run as doctests (`testpaths` in pyproject.toml).
"""

import re
from pathlib import Path

import pytest

from docs import generate, tables
from docs.example import source
from fuse import config
from fuse.integrations.estimators import registry
from fuse.ir.ops import OPS
from fuse.optimize.pipeline import PIPELINE

ROOT = generate.ROOT
PAGES = [page for page in generate.PAGES if page.name != "accuracy.md"]
VERSIONED = {"numpy.md", "pandas.md"}
SETTING = re.compile(r"\bFUSE_[A-Z_]+\b")
LINK = re.compile(r"\[[^]]+\]\(([^)]+)\)")
FILE = re.compile(r"`((?:fuse|integrations|runtime|tests|docs|examples|bench)/[\w/.]*)`")


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_generated_parts_are_current(page: Path) -> None:
    """`make docs` writes them. Lists of NumPy's and pandas' names are those of the versions they state."""
    text = page.read_text("utf-8")
    if page.name in VERSIONED and tables.versions() not in text:
        pytest.skip(f"the page does not speak of: {tables.versions()}")
    expected = registry.page() if page == generate.ESTIMATORS else generate.filled(text)
    assert text == expected, f"{page.name} is out of date: run `make docs`"


def test_every_part_stands_on_a_page() -> None:
    used = [name for page in PAGES for name in generate.parts_of(page.read_text("utf-8"))]
    assert set(used) == set(generate.PARTS)


def test_a_part_that_nobody_makes_is_an_error() -> None:
    with pytest.raises(KeyError):
        generate.filled("<!-- generated: nothing -->\n<!-- end -->")


def test_every_op_has_a_line() -> None:
    lines = text_of("docs/ops.md").splitlines()
    assert not [name for name in OPS if sum(line.startswith(f"| `{name}` |") for line in lines) != 1]


def test_every_pass_has_a_line() -> None:
    text = text_of("docs/debugging.md")
    assert not [entry.name for entry in PIPELINE if f"| `{entry.name}` |" not in text]


def test_variables_are_those_of_the_settings() -> None:
    known = set(config._ENVIRONMENT)
    named = {name for page in PAGES for name in SETTING.findall(page.read_text("utf-8"))}
    assert named <= known
    assert known <= set(SETTING.findall(text_of("README.md")))


def test_every_setting_is_described() -> None:
    for line in tables.settings().splitlines()[2:]:
        assert line.split("|")[4].strip(), line


def test_the_example_of_the_architecture_is_the_one_that_ran() -> None:
    assert source() in text_of("docs/architecture.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def anchors(page: Path) -> set[str]:
    """The names that headings get."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    named = set(FILE.findall(page.read_text("utf-8")))
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


def test_pages_are_within_the_line_length() -> None:
    """Tables and fenced blocks aside, which cannot be wrapped."""
    for page in PAGES:
        fenced = False
        for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
            fenced ^= line.startswith("```")
            assert fenced or line.startswith("|") or len(line) <= 120, f"{page.name}:{number}"
