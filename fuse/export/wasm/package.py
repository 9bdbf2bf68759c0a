"""The files around a module: JavaScript with the description of the pipeline, types, a manifest, a page to
read.

The code is that of runtime/web; what belongs to one pipeline stands in front of it: the description as a
constant, and a function that writes the values of one row, one statement a column, which is twice as fast as
a loop over names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from fuse.export.wasm import types

_FLOATS = frozenset({"float32", "float64"})


def package_files(
    description: Mapping[str, Any], module: bytes, vectors: Mapping[str, Any]
) -> dict[str, bytes]:
    """The content of each file, by name."""
    name = package_name(description["name"])
    texts = {
        "index.js": f"{_head(description)}\n{squeezed(web_file('index.js'))}",
        "index.d.ts": types.declarations(description),
        "worker.js": web_file("worker.js"),
        "check.js": web_file("check.js"),
        "package.json": json.dumps(_manifest(name), indent=2) + "\n",
        "README.md": _readme(name, description, module),
        "test_vectors.json": json.dumps(vectors) + "\n",
    }
    return {"pipeline.wasm": module} | {file: text.encode() for file, text in texts.items()}


def web_file(name: str) -> str:
    """A file of runtime/web."""
    return (files("fuse.runtime") / "web" / name).read_text("utf-8")


def squeezed(text: str) -> str:
    """JavaScript without indentation and without lines that are comments; line breaks stay where they are."""
    kept, in_comment = [], False
    for line in map(str.strip, text.splitlines()):
        in_comment = in_comment or line.startswith("/**")
        if line and not in_comment and not line.startswith("//"):
            kept.append(line)
        in_comment = in_comment and not line.endswith("*/")
    return "\n".join(kept) + "\n"


def package_name(name: str) -> str:
    """A name that package registries allow."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "pipeline"


def _head(description: Mapping[str, Any]) -> str:
    row = description["row"]
    used = None if row is None else {key: row[key] for key in ("dtypes", "bytes", "outputs")}
    told = json.dumps(dict(description) | {"row": used}, separators=(",", ":"))
    body = "" if row is None else "\n".join(_field_writer(description, field) for field in row["fields"])
    return f"const META = {told};\n\nfunction fillRow(r, m) {{\n  let v;\n{body}\n}}\n"


def _field_writer(description: Mapping[str, Any], field: Mapping[str, Any]) -> str:
    """The statement that writes one value of a row; only what is no plain number takes the long way."""
    kind, place, dtype = description["kind"], field["column"], field["dtype"]
    column = description["columns"][place]
    key = json.dumps(column["name"])
    read = {"frame": f"r[{key}]", "matrix": f"r[{place}]"}.get(kind, "r")
    made = f"META.columns[{place}].make(META.columns[{place}], v)"
    if column.get("categories") is not None:
        value = f"CODES[{place}].get({read}) ?? -1"
        return f"  m.{dtype}[{field['at']}] = {value};"
    if dtype in _FLOATS:
        return f'  v = {read}; m.{dtype}[{field["at"]}] = typeof v === "number" ? v : {made};'
    view = dtype if re.fullmatch(r"\w+", dtype) else f"[{json.dumps(dtype)}]"
    target = f"m.{view}" if view == dtype else f"m{view}"
    return f"  v = {read}; {target}[{field['at']}] = {made};"


def _manifest(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1.0.0",
        "type": "module",
        "sideEffects": False,
        "main": "./index.js",
        "types": "./index.d.ts",
        "exports": {
            ".": {"types": "./index.d.ts", "default": "./index.js"},
            "./worker": "./worker.js",
            "./pipeline.wasm": "./pipeline.wasm",
        },
        "files": ["index.js", "index.d.ts", "worker.js", "pipeline.wasm", "check.js", "test_vectors.json"],
        "scripts": {"test": "node check.js"},
        "engines": {"node": ">=20"},
    }


def _readme(name: str, description: Mapping[str, Any], module: bytes) -> str:
    columns = [column for column in description["columns"] if column["used"]]
    return _README.format(
        name=name, size=f"{len(module) / 1024:.1f}", call=_call(description),
        columns=_table(columns) if description["kind"] == "frame" else _array(description),
    )  # fmt: skip


def _call(description: Mapping[str, Any]) -> str:
    if description["kind"] == "tensor" or not description["byRow"]:
        return "predict(data)"
    return f"predictOne({types.example_row(description)})"


def _table(columns: list[Mapping[str, Any]]) -> str:
    rows = [f"| `{c['name']}` | {c['dtype']} | {_values(c)} |" for c in columns]
    return "\n".join(["| column | type | values |", "|---|---|---|", *rows])


def _values(column: Mapping[str, Any]) -> str:
    if "categories" not in column:
        return ""
    listed = [json.dumps(category) for category in column["categories"][:8]]
    more = len(column["categories"]) - len(listed)
    return ", ".join(listed) + (f" and {more} more" if more > 0 else "")


def _array(description: Mapping[str, Any]) -> str:
    (shape, dtype) = (description["inputs"][0][key] for key in ("shape", "dtype"))
    axes = ", ".join("any" if length is None else str(length) for length in shape)
    return f"An array of {dtype}, shape [{axes}]."


_README = """# {name}

A pipeline compiled to WebAssembly by fuse: {size} KB, no imports, no dependency. It runs in browsers, Node 20
and later, Deno and Bun.

```js
import {{ load }} from "./index.js";
const model = await load();
console.log(model.{call});
```

`model.predict(data)` takes columns (arrays or typed arrays) of any number of rows. `model.alloc(n)` gives
views on the module's own memory to fill, and `model.run()` then computes without copies. `connect()` runs
the pipeline in a worker. Missing values are `null` or `NaN`.

{columns}

`node check.js` compares the module with `test_vectors.json`, which Python wrote.

Serve `pipeline.wasm` as `application/wasm`; a page with a Content-Security-Policy needs `'wasm-unsafe-eval'`.
"""
