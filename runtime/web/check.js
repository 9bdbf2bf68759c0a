// Compares the module with what Python computed when it was exported: `node check.js`.

import { load } from "./index.js";

const ARRAYS = {
  float64: Float64Array, float32: Float32Array, int64: BigInt64Array, uint64: BigUint64Array,
  int32: Int32Array, uint32: Uint32Array, int16: Int16Array, uint16: Uint16Array,
  int8: Int8Array, uint8: Uint8Array, bool: Uint8Array,
};

/** The values of a test vector: arrays stand in it as the base64 of their bytes. */
export function decoded(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(decoded);
  if ("base64" in value) {
    const bytes = Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0));
    const kind = ARRAYS[value.dtype] ?? BigInt64Array;
    const data = new kind(bytes.buffer);
    return value.scalar ? data[0] : value.shape ? { data, shape: value.shape } : data;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decoded(item)]));
}

/** The first difference of two results as text, null without one. NaN equals NaN, 0 and -0 differ.
    tolerance: how far numbers may lie apart, relative to the larger one. */
export function difference(found, wanted, tolerance = 0, path = "result") {
  if (typeof wanted === "number") {
    if (Object.is(found, wanted)) return null;
    const distance = Math.abs(found - wanted);
    if (distance <= tolerance * Math.max(Math.abs(found), Math.abs(wanted))) return null;
    return `${path} is ${found}, expected ${wanted}`;
  }
  if (wanted === null || typeof wanted !== "object")
    return Object.is(found, wanted) ? null : `${path} is ${found}, expected ${wanted}`;
  const isList = ArrayBuffer.isView(wanted) || Array.isArray(wanted);
  if (isList && found?.length !== wanted.length)
    return `${path} has ${found?.length} elements, expected ${wanted.length}`;
  for (const key of isList ? wanted.keys() : Object.keys(wanted)) {
    const other = difference(found?.[key], wanted[key], tolerance, `${path}[${key}]`);
    if (other) return other;
  }
  return null;
}

/** Runs all vectors; throws at the first difference. */
export async function check(vectors) {
  const model = await load();
  for (const { data, result, rows, one, tolerance } of vectors.cases) {
    const other = difference(model.predict(decoded(data)), decoded(result), tolerance);
    if (other) throw new Error(`predict: ${other}`);
    (rows ?? []).forEach((row, place) => {
      const text = difference(model.predictOne(decoded(row)), decoded(one[place]), tolerance, `row ${place}`);
      if (text) throw new Error(`predictOne: ${text}`);
    });
  }
  return vectors.cases.length;
}

if (typeof process !== "undefined" && process.argv?.[1]?.endsWith("check.js")) {
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(new URL("./test_vectors.json", import.meta.url), "utf-8");
  console.log(`${await check(JSON.parse(text))} test vectors: the same as in Python`);
}
