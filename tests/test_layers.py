"""Imports point only down the layers, and a pass knows no other pass."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {"fuse": "fuse", "fuse.runtime": "runtime", "fuse.integrations": "integrations"}

LAYERS = (
    {"errors", "config"},
    {"runtime"},
    {"ir"},
    {"optimize"},
    {"plan"},
    {"codegen"},
    {"execution"},
    {"engine"},
    {"export", "explain"},
    {"integrations"},
    {"__init__", "__main__", "numpy", "pandas", "sklearn"},
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}


def modules() -> dict[str, Path]:
    """Every module of fuse by its dotted name; packages end in `.__init__`."""
    found = {}
    for package, folder in SOURCES.items():
        for path in (ROOT / folder).rglob("*.py"):
            relative = path.relative_to(ROOT / folder)
            if package != "fuse" or relative.parts[0] not in {"runtime", "integrations"}:
                found[".".join((package, *relative.with_suffix("").parts))] = path
    return found


MODULES = modules()
PARTS = {module.split(".")[1] for module in MODULES}


def imports(module: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything of fuse that a module imports, also inside functions."""
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        prefix = ""
        if isinstance(node, ast.ImportFrom):
            parents = module.split(".")[: -node.level] if node.level else []
            prefix = ".".join([*parents, *filter(None, [node.module]), ""])
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = (prefix + alias.name for alias in node.names)
            yield from ((node.lineno, name) for name in names if name.split(".")[0] == "fuse")


def part_of(name: str) -> str:
    """The part that a dotted name belongs to: `fuse.ir.node.Node` -> `ir`, `fuse.jit` -> `__init__`."""
    part = [*name.split("."), "__init__"][1]
    return part if part in PARTS else "__init__"


def test_every_part_has_a_layer() -> None:
    assert set(LEVEL) >= PARTS


def test_imports_point_down() -> None:
    upward = [
        f"{MODULES[module].relative_to(ROOT)}:{line} imports {name}"
        for module in MODULES
        for line, name in imports(module)
        if LEVEL[part_of(name)] > LEVEL[part_of(module)]
    ]
    assert not upward, "\n".join(upward)


def files_imported_from_optimize(module: str) -> set[str]:
    return {name.split(".")[2] for _, name in imports(module) if name.startswith("fuse.optimize.")}


def passes() -> set[str]:
    """What the pipeline imports and defines a function of its own name; the rest is analyses and driver."""
    if "fuse.optimize.pipeline" not in MODULES:
        return set()
    listed = files_imported_from_optimize("fuse.optimize.pipeline")
    sources = {name: MODULES.get(f"fuse.optimize.{name}") for name in listed}
    return {name for name, path in sources.items() if path and f"def {name}(" in path.read_text("utf-8")}


def test_passes_do_not_import_one_another() -> None:
    found = passes()
    assert found, "no pass found: has fuse/optimize/pipeline.py changed its imports?"
    crossing = {
        name: sorted(others)
        for name in sorted(found)
        if (others := files_imported_from_optimize(f"fuse.optimize.{name}") & found - {name})
    }
    assert not crossing
