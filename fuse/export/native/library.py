"""The files of a library: object, header, example, and the shared library where a linker is at hand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fuse.errors import ExportError
from fuse.export.native.header import example, header

_SUFFIX = {"linux": ("lib", ".so"), "apple": ("lib", ".dylib"), "windows": ("", ".dll")}


def library_files(
    description: Mapping[str, Any], content: bytes, vectors: Mapping[str, Any], triple: str
) -> dict[str, bytes]:
    """The content of each file, by name."""
    name = description["name"]
    suffix = ".obj" if "windows" in triple else ".o"
    files = {
        f"{name}{suffix}": content,
        f"{name}.h": header(description).encode(),
        "README.md": _README.format(name=name, triple=triple, object=f"{name}{suffix}").encode(),
        "test_vectors.json": json.dumps(vectors).encode(),
    }
    if vectors["cases"]:
        files["example.c"] = example(description, vectors).encode()
    command = linker(triple)
    if command is not None:
        before, after = next((ends for system, ends in _SUFFIX.items() if system in triple), ("lib", ".so"))
        files[f"{before}{name}{after}"] = _shared(command, content)
    return files


def linker(triple: str) -> Sequence[str] | None:
    """The command that links for this machine, or for another one by a cross compiler or ziglang."""
    architecture, system = triple.split("-")[0], triple
    if sys.platform in ("linux", "darwin") and _is_host(architecture, system) and shutil.which("cc"):
        return ["cc"]
    cross = shutil.which(f"{triple}-gcc")
    if cross is not None:
        return [cross]
    try:
        import ziglang  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional
    except ImportError:
        return None
    return [sys.executable, "-m", ziglang.__name__, "cc", "-target", _zig_target(triple)]


def _is_host(architecture: str, system: str) -> bool:
    import platform

    names = {"arm64": "aarch64", "AMD64": "x86_64"}
    machine = names.get(platform.machine(), platform.machine())
    is_system = ("linux" in system) if sys.platform == "linux" else ("apple" in system)
    return is_system and names.get(architecture, architecture) == machine


def _zig_target(triple: str) -> str:
    architecture = "aarch64" if triple.startswith("arm64") else triple.split("-")[0]
    if "apple" in triple:
        return f"{architecture}-macos"
    return f"{architecture}-windows-gnu" if "windows" in triple else f"{architecture}-linux-gnu"


def _shared(command: Sequence[str], content: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.o"), Path(folder, "out.so")
        source.write_bytes(content)
        done = subprocess.run(
            [*command, "-shared", str(source), "-o", str(target)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ExportError(f"{command[0]} cannot link the library: {done.stderr.strip()}")
        return target.read_bytes()


_README = """# {name}

A pipeline compiled by fuse for {triple}: no Python, no mathematics library, only the memory functions of C.

`{name}.h` declares `fuse_predict`. Link `{object}` into your program, or load the shared library beside it.

    cc example.c {object} -o example && ./example

prints the results of the rows of `test_vectors.json`.
"""
