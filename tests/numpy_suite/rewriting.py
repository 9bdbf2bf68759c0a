"""A test module of NumPy, compiled with `fuse.numpy` where it says `numpy`.

`import numpy as np` and `from numpy import …` name fuse's module, `numpy.testing` and `np.testing` the
assertions that take lazy arrays, functions of `numpy.random` and `numpy.linalg` those of fuse. Imports of
NumPy's private modules and exceptions stay: they are what the module tests beside the public names.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np

ROOT = Path(np.__file__).parent
FOLDERS = {
    "_core/tests": "", "lib/tests": "lib.", "random/tests": "random.", "linalg/tests": "linalg.",
    "fft/tests": "fft.", "ma/tests": "ma.", "polynomial/tests": "polynomial.",
}  # fmt: skip
"""Folders of tests, and what `--module` calls the modules of each."""
_MODULES = {"numpy": "fuse.numpy", "numpy.testing": "tests.numpy_suite.assertions"}
_NAMESPACES = ("numpy.random", "numpy.linalg", "numpy.fft")


class _Replacement(ast.NodeTransformer):
    """The tree of a module with fuse's names in it."""

    def visit_Import(self, node: ast.Import) -> ast.AST:
        for alias in node.names:
            if alias.name in _MODULES:
                alias.asname = alias.asname or alias.name
                alias.name = _MODULES[alias.name]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        if node.level == 0 and node.module in _NAMESPACES:
            return [_from_namespace(node, node.module, alias) for alias in node.names]
        if node.level == 0:
            node.module = _MODULES.get(node.module or "", node.module)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == "testing" and isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy"):
            found = ast.parse("__import__('sys').modules['tests.numpy_suite.assertions']", mode="eval").body
            return ast.copy_location(found, node)
        return node


def _from_namespace(node: ast.ImportFrom, module: str, alias: ast.alias) -> ast.stmt:
    """`from numpy.random import rand` as an assignment of fuse's function."""
    name = module.removeprefix("numpy.")
    source = f"{alias.asname or alias.name} = __import__('fuse.numpy').numpy.{name}.{alias.name}"
    (statement,) = ast.parse(source).body
    return ast.copy_location(statement, node)


def rewritten(source: str, path: str) -> CodeType:
    """The code of a module with fuse in NumPy's place."""
    tree = ast.fix_missing_locations(_Replacement().visit(ast.parse(source, path)))
    return compile(tree, path, "exec", dont_inherit=True)


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return rewritten(Path(path).read_text(encoding="utf-8"), path)


class Finder(MetaPathFinder):
    """Finds the test modules of the installed NumPy, and loads them rewritten."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name.rpartition(".")[2].startswith("test_") else None
        if spec is None or spec.origin is None or Path(spec.origin).parent not in _folders():
            return None
        spec.loader = _Loader(spec.name, spec.origin)
        return spec


def _folders() -> tuple[Path, ...]:
    return tuple(ROOT / folder for folder in FOLDERS)


def install() -> None:
    """Rewrite NumPy's test modules from now on."""
    import tests.numpy_suite.assertions  # noqa: F401  # rewritten code reaches it through `sys.modules`

    sys.meta_path.insert(0, Finder())


def paths() -> dict[str, Path]:
    """The test modules of the installed NumPy by the name that `--module` takes: `test_umath`,
    `lib.test_shape_base`.
    """
    found = {}
    for folder, prefix in FOLDERS.items():
        found.update({prefix + path.stem: path for path in sorted((ROOT / folder).glob("test_*.py"))})
    return found
