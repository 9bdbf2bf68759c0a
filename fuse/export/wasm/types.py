"""TypeScript's view of a pipeline: the names of its columns as literal types, its categories, its result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_ARRAYS = {
    "float64": "Float64Array", "float32": "Float32Array", "int64": "BigInt64Array",
    "uint64": "BigUint64Array", "int32": "Int32Array", "uint32": "Uint32Array", "int16": "Int16Array",
    "uint16": "Uint16Array", "int8": "Int8Array", "uint8": "Uint8Array", "bool": "Uint8Array",
}  # fmt: skip


def declarations(description: Mapping[str, Any]) -> str:
    """The content of `index.d.ts`."""
    form = description["form"]
    return _TEXT.format(
        row=_row(description), data=_data(description), views=_views(description),
        result=_result(form, description), one=_one(form, description),
    )  # fmt: skip


def example_row(description: Mapping[str, Any]) -> str:
    """A row as JavaScript, for the page to read."""
    used = [column for column in description["columns"] if column["used"]]
    if description["kind"] == "frame":
        return "{ " + ", ".join(f"{json.dumps(c['name'])}: {_value(c)}" for c in used) + " }"
    if description["kind"] == "matrix":
        return "[" + ", ".join(map(_value, used)) + "]"
    return _value(used[0])


def _value(column: Mapping[str, Any]) -> str:
    if column.get("categories"):
        return json.dumps(column["categories"][0])
    dtype = column["dtype"]
    if dtype == "str":
        return '"text"'
    if _is_long(dtype):
        return "1n" if dtype in ("int64", "uint64") else "new Date()"
    return "true" if dtype == "bool" else "1"


def _is_long(dtype: str) -> bool:
    return _ARRAYS.get(dtype, "BigInt64Array").startswith("Big")


def _array(dtype: str) -> str:
    return _ARRAYS.get(dtype, "BigInt64Array")


def _element(column: Mapping[str, Any]) -> str:
    """The type of one value that a user may write."""
    dtype = column["dtype"]
    if column.get("categories") is not None:
        return " | ".join([*map(json.dumps, column["categories"]), "null"])
    if dtype == "str":
        return "string | null"
    if dtype.startswith("datetime64"):
        return "Date | number | bigint | null"
    if _is_long(dtype):
        return "bigint | number"
    return "boolean | number" if dtype == "bool" else "number | null" if dtype[:5] == "float" else "number"


def _row(description: Mapping[str, Any]) -> str:
    kind, columns = description["kind"], description["columns"]
    if kind == "frame":
        fields = [f"  {json.dumps(c['name'])}: {_element(c)};" for c in columns if c["used"]]
        return "{\n" + "\n".join(fields) + "\n}"
    element = _element(columns[0])
    if kind == "tensor":
        return f"ArrayLike<{element}> | {{ data: {_array(columns[0]['dtype'])}; shape: number[] }}"
    return f"ArrayLike<{element}>" if kind == "matrix" else element


def _data(description: Mapping[str, Any]) -> str:
    kind, columns = description["kind"], description["columns"]
    if kind == "frame":
        fields = [f"  {json.dumps(c['name'])}: {_column(c)};" for c in columns if c["used"]]
        return "{\n" + "\n".join(fields) + "\n}"
    values = _column(columns[0])
    if kind in ("series", "vector"):
        return values
    pixels = kind == "tensor" and columns[0]["dtype"] == "uint8"
    values += " | ImageData" if pixels else ""
    whole = f"{{ data: {_array(columns[0]['dtype'])}; shape: number[] }}"
    return f"{values} | ArrayLike<{_element(columns[0])}>[] | {whole}"


def _column(column: Mapping[str, Any]) -> str:
    element = _element(column)
    if column["dtype"] == "str":
        return f"ReadonlyArray<{element}>"
    typed = "Int8Array | Int16Array | Int32Array" if column.get("categories") else _array(column["dtype"])
    return f"ReadonlyArray<{element}> | {typed}"


def _views(description: Mapping[str, Any]) -> str:
    inputs = description["inputs"]
    if description["kind"] != "frame":
        return _array(inputs[0]["dtype"])
    fields = [
        f"{json.dumps(description['columns'][i['column']]['name'])}: {_array(i['dtype'])}"
        for i in inputs
        if i["piece"] != "text"
    ]
    return "{ " + "; ".join(fields) + " }"


def _result(form: Mapping[str, Any], description: Mapping[str, Any]) -> str:
    """The type of what `predict` gives."""
    nested = _nested(form, description, _result)
    if nested is not None:
        return nested
    if "codes" in form or "labels" in form:
        return f"({_labels(form)})[]"
    found = description["outputs"][form["array"]]
    array = _array(found["dtype"])
    if not found["shape"]:
        return _number(found["dtype"])
    return array if len(found["shape"]) == 1 else f"NdArray<{array}>"


def _one(form: Mapping[str, Any], description: Mapping[str, Any]) -> str:
    """The type of what `predictOne` gives."""
    nested = _nested(form, description, _one)
    if nested is not None:
        return nested
    if "codes" in form or "labels" in form:
        return _labels(form)
    found = description["outputs"][form["array"]]
    number = _number(found["dtype"])
    return f"{number}[]" if len(found["shape"]) == 2 else number


def _nested(form: Mapping[str, Any], description: Mapping[str, Any], inner: Any) -> str | None:
    if "value" in form:
        return json.dumps(form["value"])
    for key in ("tuple", "list"):
        if key in form:
            return "[" + ", ".join(inner(part, description) for part in form[key]) + "]"
    if "dict" in form or "frame" in form:
        fields = form.get("dict", form.get("frame"))
        return (
            "{ " + "; ".join(f"{json.dumps(str(k))}: {inner(part, description)}" for k, part in fields) + " }"
        )
    if "series" in form:
        found: str = inner(form["series"], description)
        return found
    return None


def _labels(form: Mapping[str, Any]) -> str:
    labels = form["labels"] if "labels" in form else [*form["categories"], None]
    return " | ".join(dict.fromkeys(map(json.dumps, labels)))


def _number(dtype: str) -> str:
    return "bigint" if _is_long(dtype) else "number"


_TEXT = """/** One row. */
export type Row = {row};

/** Any number of rows. */
export type Data = {data};

/** Views on the module's memory. */
export type Views = {views};

/** An array of several axes, the last one fastest. */
export interface NdArray<T> {{
  data: T;
  shape: number[];
}}

/** What `predict` gives. */
export type Result = {result};

/** What `predictOne` gives. */
export type One = {one};

export interface Description {{
  name: string;
  dtype: string;
  categories?: unknown[];
  used?: boolean;
}}

export declare const meta: {{
  name: string;
  inputs: Description[];
  outputs: {{ dtype: string; shape: (number | null)[] }}[];
}};

/** A pipeline that is loaded. */
export declare class Model {{
  readonly module: WebAssembly.Module;
  readonly meta: typeof meta;
  /** The result for any number of rows; copies in and out. */
  predict(data: Data): Result;
  /** The result for one row; null when a filter of the pipeline drops it. */
  predictOne(row: Partial<Row> | Row): One | null;
  /** Views for `n` rows to be filled before `run`. */
  alloc(n: number): Views;
  /** The result for what stands in the views, as views that hold until the next call. */
  run(): Result;
  /** Lets go of the module's memory. */
  dispose(): void;
}}

export type Source = string | URL | Response | BufferSource | WebAssembly.Module;

/** The pipeline, from the file beside this one or from elsewhere. */
export declare function load(source?: Source | Promise<Source>): Promise<Model>;

/** The pipeline in a worker. */
export declare function connect(): Promise<{{
  predict(data: Data): Promise<Result>;
  predictOne(row: Partial<Row> | Row): Promise<One | null>;
  dispose(): void;
}}>;
"""
