"""The C header of a pipeline, and an example that calls it with the rows of the test vectors."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_TYPES = {
    "float64": "double", "float32": "float", "int64": "int64_t", "uint64": "uint64_t", "int32": "int32_t",
    "uint32": "uint32_t", "int16": "int16_t", "uint16": "uint16_t", "int8": "int8_t", "uint8": "uint8_t",
    "bool": "uint8_t",
}  # fmt: skip
_KEYWORDS = frozenset({
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern",
    "float", "for", "goto", "if", "int", "long", "register", "return", "short", "signed", "sizeof", "static",
    "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "class", "new", "delete",
    "this", "bool", "true", "false", "n", "out", "in",
})  # fmt: skip


def c_type(dtype: str) -> str:
    """Dates are int64 in the column's unit."""
    return _TYPES.get(dtype, "int64_t")


def identifiers(names: Sequence[Any]) -> list[str]:
    """A C name for each of these, all different."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"\W", "_", str(name), flags=re.ASCII) or "value"
        plain = f"x{plain}" if plain[0].isdigit() or plain in _KEYWORDS else plain
        number, made = 2, plain
        while made in found:
            made, number = f"{plain}_{number}", number + 1
        found.append(made)
    return found


def input_names(description: Mapping[str, Any]) -> list[str]:
    """A name for each input of the graph."""
    if description["kind"] != "frame":
        return ["values"]
    columns = description["columns"]
    pieces = {"validity": "{}_there", "text": "{}_offsets"}
    return identifiers([
        pieces.get(i["piece"], "{}").format(columns[i["column"]]["name"]) for i in description["inputs"]
    ])  # fmt: skip


def output_names(description: Mapping[str, Any]) -> list[str]:
    """A name for each result: its key or column where the form has one."""
    found = {place: f"result_{place}" for place in range(len(description["outputs"]))}
    _name_parts(description["form"], "result", found)
    return identifiers([found[place] for place in sorted(found)])


def _name_parts(form: Mapping[str, Any], name: str, found: dict[int, str]) -> None:
    for key in ("tuple", "list"):
        for number, part in enumerate(form.get(key, ())):
            _name_parts(part, f"{name}_{number}", found)
    for key in ("dict", "frame"):
        for label, part in form.get(key, ()):
            _name_parts(part, str(label), found)
    if "series" in form:
        _name_parts(form["series"], name, found)
    for key in ("array", "codes"):
        if key in form:
            found[form[key]] = name
    for step in form.get("rows", ()):
        if isinstance(step, Mapping):
            found[step["mask"]] = "kept_rows"


def header(description: Mapping[str, Any]) -> str:
    """The content of the header."""
    guard = f"FUSE_{description['name'].upper()}_H"
    checks = "".join(
        f"  FUSE_CHECK_{number} = {16 + number}, /* {_comment(text)} */\n"
        for number, text in enumerate(description["checks"])
    )
    return _HEADER.format(
        name=description["name"], guard=guard, inputs="\n".join(_inputs(description)),
        outputs="\n".join(_outputs(description)), checks=checks,
    )  # fmt: skip


def _comment(text: str) -> str:
    return str(text).replace("*/", "* /").replace("\n", " ")


def _inputs(description: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, given in zip(input_names(description), description["inputs"], strict=True):
        column = description["columns"][given["column"]]
        if given["piece"] == "text":
            lines.append(f"  const int64_t *{name}; /* n + 1 ends of texts in the bytes */")
            lines.append(f"  const char *{name.removesuffix('_offsets')}_bytes; /* UTF-8 */")
            continue
        shape = " * ".join("n" if length is None else str(length) for length in given["shape"])
        note = f"{shape} values" + (f", {_meaning(column)}" if _meaning(column) else "")
        lines.append(f"  const {c_type(given['dtype'])} *{name}; /* {_comment(note)} */")
    return lines


def _meaning(column: Mapping[str, Any]) -> str:
    if column.get("categories") is not None:
        codes = ", ".join(f"{code} {label!r}" for code, label in enumerate(column["categories"][:20]))
        return f"-1 unknown, {codes}" + (", ..." if len(column["categories"]) > 20 else "")
    dtype = str(column["dtype"])
    if dtype.startswith("float"):
        return "NaN where missing"
    return f"{dtype}, INT64_MIN where missing" if "64[" in dtype else ""


def _outputs(description: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, found in zip(output_names(description), description["outputs"], strict=True):
        shape = found["shape"]
        room = " * ".join("n" if length is None else str(length) for length in shape) or "1"
        lines.append(f"  {c_type(found['dtype'])} *{name}; /* room for {room} values, yours */")
        if shape:
            lines.append(f"  int64_t {name}_shape[{len(shape)}]; /* what was written, by axis */")
    return lines


_HEADER = """/* {name}: a pipeline compiled by fuse. Safe to call from many threads. */
#ifndef {guard}
#define {guard}

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

enum fuse_status {{
  FUSE_OK = 0,
  FUSE_NO_MEMORY = 1, /* malloc gave none */
  FUSE_OUTSIDE = 2,   /* an index lies outside its table */
  FUSE_EMPTY = 3,     /* the place of the best of no values */
{checks}}};

struct fuse_in {{
{inputs}
}};

struct fuse_out {{
{outputs}
}};

/* Scores n rows; FUSE_OK, or why not. */
int fuse_predict(const struct fuse_in *in, size_t n, struct fuse_out *out);

#ifdef __cplusplus
}}
#endif

#endif
"""

# The example


def example(description: Mapping[str, Any], vectors: Mapping[str, Any]) -> str:
    """A program that scores the rows of the first test vector and prints every result."""
    case = vectors["cases"][0]
    inputs = list(zip(input_names(description), _arrays(description, case["data"]), strict=True))
    declared = [line for name, arrays in inputs for line in _declared(name, arrays)]
    given = [line for name, arrays in inputs for line in _assigned(name, arrays)]
    rows = len(inputs[0][1][0]) - (1 if len(inputs[0][1]) == 2 else 0)
    names = output_names(description)
    outputs = list(zip(names, description["outputs"], strict=True))
    return _EXAMPLE.format(
        name=description["name"], rows=rows, data="\n".join(declared), given="\n".join(given),
        room="\n".join(_room(name, found, rows) for name, found in outputs),
        printed="\n".join(_printed(name, found) for name, found in outputs),
    )  # fmt: skip


def _arrays(description: Mapping[str, Any], data: Any) -> list[list[np.ndarray]]:
    """The arrays of each input; of text its ends and its bytes."""
    found = []
    for given in description["inputs"]:
        column = description["columns"][given["column"]]
        values = data[str(column["name"])] if description["kind"] == "frame" else data
        if isinstance(values, dict):
            content = base64.b64decode(values["base64"])
            found.append([np.frombuffer(content, _memory_dtype(given["dtype"]))])
        elif given["piece"] == "codes":
            codes = {label: code for code, label in enumerate(column["categories"])}
            found.append([np.array([codes.get(value, -1) for value in values], given["dtype"])])
        elif given["piece"] == "validity":
            found.append([np.array([value is not None for value in values], np.uint8)])
        else:
            parts = [(value or "").encode() for value in values]
            ends = np.cumsum([0, *map(len, parts)]).astype(np.int64)
            found.append([ends, np.frombuffer(b"".join(parts) + b"\0", np.uint8)])
    return found


def _memory_dtype(dtype: str) -> str:
    return "uint8" if dtype == "bool" else dtype if dtype in _TYPES else "int64"


def _declared(name: str, arrays: Sequence[np.ndarray]) -> list[str]:
    kinds = ["int64_t", "char"] if len(arrays) == 2 else [c_type(arrays[0].dtype.name)]
    names = [name, f"{name.removesuffix('_offsets')}_bytes"]
    return [
        f"static const {kind} {label}[] = {{{', '.join(map(_literal, array.tolist()))}}};"
        for kind, label, array in zip(kinds, names, arrays, strict=False)
    ]


def _assigned(name: str, arrays: Sequence[np.ndarray]) -> list[str]:
    names = [name, f"{name.removesuffix('_offsets')}_bytes"][: len(arrays)]
    return [f"  in.{label} = {label};" for label in names]


def _literal(value: Any) -> str:
    if isinstance(value, int):
        return "INT64_MIN" if value == -(2**63) else f"{value}ll" if abs(value) >= 2**31 else str(value)
    if value != value:
        return "NAN"
    if value in (float("inf"), float("-inf")):
        return "INFINITY" if value > 0 else "-INFINITY"
    return repr(value)


def _size(found: Mapping[str, Any], rows: int) -> int:
    size = 1
    for length in found["shape"]:
        size *= rows if length is None else length
    return size


def _room(name: str, found: Mapping[str, Any], rows: int) -> str:
    kind = c_type(found["dtype"])
    return f"  static {kind} {name}[{_size(found, rows)}];\n  out.{name} = {name};"


def _printed(name: str, found: Mapping[str, Any]) -> str:
    is_float = found["dtype"].startswith("float")
    shown = '"%.17g\\n", (double)' if is_float else '"%lld\\n", (long long)'
    count = " * ".join([f"out.{name}_shape[{axis}]" for axis in range(len(found["shape"]))] or ["1"])
    return f"  for (int64_t i = 0; i < {count}; i++) printf({shown}{name}[i]);"


_EXAMPLE = """/* Scores rows of the test vectors: cc example.c {name}.o -o example && ./example */
#include <math.h>
#include <stdio.h>

#include "{name}.h"

{data}

int main(void) {{
  struct fuse_in in;
  struct fuse_out out;
{given}
{room}
  int status = fuse_predict(&in, {rows}, &out);
  if (status != FUSE_OK) {{
    fprintf(stderr, "fuse_predict: status %d\\n", status);
    return 1;
  }}
{printed}
  return 0;
}}
"""
