"""Running the exported packages in Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")


def run_script(folder: Path, script: str) -> Any:
    """What a module script beside a package prints, read as JSON. It finds the package as `./index.js`."""
    assert NODE is not None
    file = folder / "script.mjs"
    file.write_text(script, "utf-8")
    found = subprocess.run(
        [NODE, str(file)], capture_output=True, text=True, timeout=120, check=False, cwd=folder
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def check_package(folder: Path) -> str:
    """Run the package's own comparison with its test vectors."""
    assert NODE is not None
    found = subprocess.run(
        [NODE, str(folder / "check.js")], capture_output=True, text=True, timeout=120, check=False
    )
    assert found.returncode == 0, found.stderr
    return found.stdout
