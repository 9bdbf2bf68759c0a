"""The packages that pyproject.toml declares are the packages of the tree."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
FOLDERS: dict[str, str] = SETUPTOOLS["package-dir"]
LINKS = {"integrations", "runtime"}


def packages_in_tree() -> set[str]:
    """Every folder that holds Python code, under the name it is imported by."""
    found = set()
    for package, folder in FOLDERS.items():
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.parent.relative_to(ROOT / folder).parts
            if package != "fuse" or not LINKS & set(parts[:1]):
                found.add(".".join((package, *parts)))
    return found


def folder_of(package: str) -> Path:
    """Where setuptools looks for a package: under its longest mapped parent."""
    parent = max((name for name in FOLDERS if f"{package}.".startswith(f"{name}.")), key=len)
    return ROOT / FOLDERS[parent] / package.removeprefix(parent).strip(".").replace(".", "/")


def test_declared_packages_are_those_of_the_tree() -> None:
    assert set(SETUPTOOLS["packages"]) == packages_in_tree()


def test_declared_packages_are_sorted_and_once() -> None:
    assert SETUPTOOLS["packages"] == sorted(set(SETUPTOOLS["packages"]))


def test_every_package_has_an_init_file() -> None:
    assert not [name for name in SETUPTOOLS["packages"] if not (folder_of(name) / "__init__.py").is_file()]


def test_links_point_to_the_mapped_folders() -> None:
    for name in LINKS:
        link = ROOT / "fuse" / name
        if link.is_symlink():  # a checkout without symlinks has a small text file here, and works installed
            assert link.resolve() == ROOT / FOLDERS[f"fuse.{name}"]
