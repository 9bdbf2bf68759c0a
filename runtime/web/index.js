// What the pipeline above does, in JavaScript: loading the module, columns to memory, results back.

const ARRAYS = {
  float64: Float64Array, float32: Float32Array, int64: BigInt64Array, uint64: BigUint64Array,
  int32: Int32Array, uint32: Uint32Array, int16: Int16Array, uint16: Uint16Array,
  int8: Int8Array, uint8: Uint8Array, bool: Uint8Array,
};
const LIMITS = {
  int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767], uint16: [0, 65535],
  int32: [-2147483648, 2147483647], uint32: [0, 4294967295], bool: [0, 1],
};
const NAT = -(2n ** 63n);
const TICKS = { s: 1n, ms: 1000n, us: 1000000n, ns: 1000000000n };
const STATUS = {
  1: [RangeError, "there is not enough memory for so many rows"],
  2: [RangeError, "an index lies outside its table"],
  3: [RangeError, "the place of the best of no values"],
};
const CHECK = 16;
const DROPPED = 4;

/** What the pipeline takes and gives. */
export const meta = {
  name: META.name,
  inputs: META.columns.map(({ name, dtype, categories, used }) => ({ name, dtype, categories, used })),
  outputs: META.outputs.map(({ dtype, shape }) => ({ dtype, shape })),
};

const isTime = (dtype) => dtype.startsWith("datetime64") || dtype.startsWith("timedelta64");
const arrayOf = (dtype) => ARRAYS[dtype] ?? BigInt64Array;
const shown = (value) => (typeof value === "string" ? JSON.stringify(value) : String(value));

// Values: what a user may write, and what a column holds

function refuse(column, value, row, wanted) {
  const where = row === undefined ? "" : `, row ${row}`;
  throw new TypeError(`column ${JSON.stringify(column.name)}${where} is ${shown(value)}, expected ${wanted}`);
}

function float(column, value, row) {
  if (typeof value === "number") return value;
  if (value === null || value === undefined) return NaN;
  if (typeof value === "bigint" || typeof value === "boolean") return Number(value);
  return refuse(column, value, row, `a number (${column.dtype})`);
}

function integer(column, value, row) {
  const [low, high] = LIMITS[column.dtype];
  if (typeof value === "boolean" || typeof value === "bigint") value = Number(value);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  return refuse(column, value, row, `a whole number from ${low} to ${high} (${column.dtype})`);
}

function long(column, value, row) {
  const isWhole = typeof value === "bigint" || typeof value === "boolean" || Number.isSafeInteger(value);
  if (!isWhole) refuse(column, value, row, `a BigInt or a whole number (${column.dtype})`);
  const whole = BigInt(value);
  const kept = column.dtype === "int64" ? BigInt.asIntN(64, whole) : BigInt.asUintN(64, whole);
  return kept === whole ? kept : refuse(column, value, row, column.dtype);
}

function time(column, value, row) {
  if (value === null || value === undefined) return NAT;
  if (typeof value === "bigint") return BigInt.asIntN(64, value);
  const number = value instanceof Date ? value.getTime() : value;
  if (value instanceof Date && Number.isNaN(number)) return NAT;
  if (!Number.isSafeInteger(number)) refuse(column, value, row, `a Date or milliseconds (${column.dtype})`);
  const ticks = TICKS[/\[(\w+)\]/.exec(column.dtype)[1]];
  const scaled = BigInt(number) * ticks;
  return scaled >= 0n || scaled % 1000n === 0n ? scaled / 1000n : scaled / 1000n - 1n;
}

const CODES = META.columns.map(({ categories }) => categories && new Map(categories.map((c, i) => [c, i])));

function code(column, value) {
  return CODES[column.place].get(value) ?? -1;
}

function makerOf(column) {
  if (column.categories) return code;
  if (isTime(column.dtype)) return time;
  if (column.dtype === "int64" || column.dtype === "uint64") return long;
  return column.dtype.startsWith("float") ? float : integer;
}

META.columns.forEach((column, place) => { column.place = place; column.make = makerOf(column); });

/** A view on memory filled with what the user gave for a column. */
function fill(view, column, values) {
  if (column.categories && ArrayBuffer.isView(values)) {
    const bad = values.findIndex((c) => c < -1 || c >= column.categories.length);
    if (bad >= 0) refuse(column, values[bad], bad, `a code from -1 to ${column.categories.length - 1}`);
    if (typeof values[0] !== "bigint") return view.set(values);
  }
  if (values.constructor === view.constructor) return view.set(values);
  if (values instanceof Uint8ClampedArray && view instanceof Uint8Array) return view.set(values);
  const isFloat = values instanceof Float64Array || values instanceof Float32Array;
  if (isFloat && view instanceof Float64Array) return view.set(values);
  const make = column.make;
  for (let row = 0; row < view.length; row++) view[row] = make(column, values[row], row);
}

// Memory

class Memory {
  constructor(exports) {
    this.exports = exports;
    this.words = exports.fuse_batch_words();
  }

  view(dtype, address, length) {
    return new (arrayOf(dtype))(this.exports.memory.buffer, address, length);
  }

  reserve(bytes) {
    const address = this.exports.fuse_reserve(bytes) >>> 0;
    if (!address) throw new RangeError(`there is no memory for ${bytes} bytes more`);
    return address;
  }

  /** Words of the block of a batch, two 32-bit halves each. */
  get block() {
    return new Uint32Array(this.exports.memory.buffer, this.words, 2 * META.words);
  }
}

const sizeOf = (dtype) => arrayOf(dtype).BYTES_PER_ELEMENT;
const count = (shape) => shape.reduce((product, length) => product * length, 1);

// Results

function made(form, arrays) {
  if ("value" in form) return form.value;
  const list = form.tuple ?? form.list;
  if (list) return list.map((part) => made(part, arrays));
  if (form.dict) return Object.fromEntries(form.dict.map(([key, part]) => [key, made(part, arrays)]));
  if (form.frame) return table(form, arrays);
  if (form.series) return made(form.series, arrays);
  if ("codes" in form) return labelled(arrays[form.codes].data, form.categories);
  const { data, shape } = arrays[form.array];
  if (form.labels) return labelled(data, form.labels);
  if (shape.length === 0) return data[0];
  return shape.length === 1 ? data : { data, shape };
}

const labelled = (codes, labels) => Array.from(codes, (place) => labels[Number(place)] ?? null);

function table(form, arrays) {
  const columns = form.frame.map(([name, part]) => [name, made(part, arrays)]);
  if (!form.rows.length) return Object.fromEntries(columns);
  let rows = null;
  for (const step of form.rows) {
    if (!Array.isArray(step)) {
      const mask = arrays[step.mask].data;
      rows = (rows ?? Array.from(mask.keys())).filter((_, place) => mask[place]);
    }
  }
  return rows ? { ...Object.fromEntries(columns), rows: Uint32Array.from(rows) } : Object.fromEntries(columns);
}

function oneOf(form, arrays) {
  if ("value" in form) return form.value;
  const list = form.tuple ?? form.list;
  if (list) return list.map((part) => oneOf(part, arrays));
  if (form.dict ?? form.frame)
    return Object.fromEntries((form.dict ?? form.frame).map(([key, part]) => [key, oneOf(part, arrays)]));
  if (form.series) return oneOf(form.series, arrays);
  if ("codes" in form) return form.categories[Number(arrays[form.codes][0])] ?? null;
  const values = arrays[form.array];
  if (form.labels) return form.labels[Number(values[0])];
  return META.outputs[form.array].shape.length === 2 ? Array.from(values) : values[0];
}

// The model

/** A pipeline that is loaded. Made by `load`. */
export class Model {
  #memory;
  #row = null;
  #alloc = null;

  constructor(module, instance) {
    this.module = module;
    this.meta = meta;
    this.#memory = new Memory(instance.exports);
  }

  /** The result for columns (or a matrix) of any number of rows; copies in and out. */
  predict(data) {
    return made(META.form, this.#computed(data));
  }

  /** The result for one row; null when a filter of the pipeline drops it. */
  predictOne(row) {
    const { exports } = this.#open();
    if (!META.row) return this.#single(row);
    const { buffer } = exports.memory;
    if (this.#row?.buffer !== buffer) this.#row = rowViews(exports);
    fillRow(row, this.#row);
    const status = exports.fuse_row();
    if (status === DROPPED) return null;
    if (status) fail(status);
    return oneOf(META.form, this.#row.results);
  }

  #single(row) {
    if (!META.byRow) throw new TypeError("the result has no row for each row; use predict");
    const arrays = this.#computed(asBatch(row));
    const isDropped = arrays.some(({ shape }) => shape[0] === 0);
    return isDropped ? null : oneOf(META.form, arrays.map(({ data }) => data));
  }

  #computed(data) {
    this.#open().exports.fuse_forget();
    this.#alloc = null;
    const columns = META.kind === "frame" ? frame(data) : single(data);
    this.#place(columns);
    return this.#run(false, columns.lengths);
  }

  /** Views on the module's own memory for `n` rows, to be filled; `run()` then computes. They are renewed,
      and old ones empty, when memory grows: call `alloc` again after a larger `predict`. */
  alloc(n) {
    this.#open().exports.fuse_forget();
    const lengths = { n };
    const places = META.inputs.map((input) => {
      if (input.piece === "text") throw new TypeError("text has no views; use predict");
      const shape = shapeOf(input, lengths);
      return { input, shape, address: this.#memory.reserve(sizeOf(input.dtype) * count(shape)) };
    });
    this.#alloc = { lengths, places };
    const views = places.map(({ input, shape, address }) => [
      META.columns[input.column].name, this.#memory.view(input.dtype, address, count(shape)),
    ]);
    return META.kind === "frame" ? Object.fromEntries(views) : views[0][1];
  }

  /** The result for what stands in the views of `alloc`, as views that hold until the next call. */
  run() {
    this.#open();
    if (!this.#alloc) throw new Error("alloc(n) comes first");
    const block = this.#memory.block;
    this.#alloc.places.forEach(({ address }, place) => setInput(block, place, address));
    return made(META.form, this.#run(true, this.#alloc.lengths));
  }

  /** Lets go of the module's memory; the model cannot be used afterwards. */
  dispose() {
    this.#memory = this.#row = this.#alloc = null;
  }

  #open() {
    if (!this.#memory) throw new Error("the model was disposed of");
    return this.#memory;
  }

  #place({ values, lengths }) {
    const places = META.inputs.map((input) => {
      const column = META.columns[input.column];
      const given = values[input.column];
      if (input.piece === "text") return this.#text(column, given);
      const length = count(shapeOf(input, lengths));
      const address = this.#memory.reserve(sizeOf(input.dtype) * length);
      const view = this.#memory.view(input.dtype, address, length);
      if (input.piece === "validity") given.forEach((text, row) => { view[row] = text == null ? 0 : 1; });
      else fill(view, column, given);
      return [address, 0];
    });
    const block = this.#memory.block;
    places.forEach(([address, bytes], place) => setInput(block, place, address, bytes));
  }

  #text(column, values) {
    const parts = Array.from(values, (text, row) =>
      text == null ? "" : typeof text === "string" ? text : refuse(column, text, row, "text"));
    const encoder = new TextEncoder();
    const encoded = parts.map((text) => encoder.encode(text));
    const total = encoded.reduce((sum, bytes) => sum + bytes.length, 0);
    const offsets = this.#memory.reserve(8 * (parts.length + 1));
    const bytes = this.#memory.reserve(total + 1);
    const ends = this.#memory.view("int64", offsets, parts.length + 1);
    const target = this.#memory.view("uint8", bytes, total + 1);
    let end = 0;
    ends[0] = 0n;
    encoded.forEach((text, row) => {
      target.set(text, end);
      end += text.length;
      ends[row + 1] = BigInt(end);
    });
    return [offsets, bytes];
  }

  #run(isView, lengths) {
    const block = this.#memory.block;
    META.symbols.forEach((symbol, place) => { block[2 * place] = lengthOf(symbol, lengths); });
    const status = this.#memory.exports.fuse_batch();
    if (status) fail(status);
    const found = this.#memory.block;
    return META.outputs.map(({ dtype, shape, at }) => {
      const lengths_ = shape.map((_, axis) => found[2 * (at + 1 + axis)]);
      const view = this.#memory.view(dtype, found[2 * at], count(lengths_));
      return { data: isView ? view : view.slice(), shape: lengths_ };
    });
  }
}

function fail(status) {
  if (status >= CHECK) throw new TypeError(`the data fail a check of the libraries: ${META.checks[status - CHECK]}`);
  const [kind, text] = STATUS[status] ?? [Error, `the module ended with status ${status}`];
  throw new kind(text);
}

function setInput(block, place, address, bytes = 0) {
  const word = META.symbols.length + 2 * place;
  block[2 * word] = address;
  block[2 * word + 2] = bytes;
}

const lengthOf = ([input, axis], lengths) => (axis === 0 && "n" in lengths ? lengths.n : lengths.shapes[input][axis]);
const shapeOf = ({ shape }, lengths) =>
  shape.map((length, axis) => length ?? (axis === 0 && "n" in lengths ? lengths.n : lengths.shapes[0][axis]));

function frame(data) {
  const used = META.columns.filter((column) => column.used);
  const missing = used.filter(({ name }) => data?.[name] === undefined).map(({ name }) => JSON.stringify(name));
  if (missing.length) throw new TypeError(`missing column${missing.length > 1 ? "s" : ""} ${missing.join(", ")}`);
  const values = META.columns.map(({ name, used: isRead }) => (isRead ? data[name] : null));
  const n = data[used[0].name].length;
  for (const { name } of used) {
    const { length } = data[name];
    if (typeof data[name] === "string" || length === undefined)
      throw new TypeError(`column ${JSON.stringify(name)} is ${shown(data[name])}, expected an array of ${n} values`);
    if (length !== n)
      throw new RangeError(`column ${JSON.stringify(name)} has ${length} rows, ${JSON.stringify(used[0].name)} has ${n}`);
  }
  return { values, lengths: { n } };
}

/** A matrix as one array in rows, as an array of rows, or as { data, shape }; a vector as an array. */
function single(data) {
  const [{ shape }] = META.inputs;
  if (shape.length === 1) return { values: [data], lengths: { n: data.length } };
  if (Array.isArray(data) && shape.length === 2 && !data.every((row) => row?.length === shape[1])) {
    const bad = data.findIndex((row) => row?.length !== shape[1]);
    throw new RangeError(`row ${bad} has ${data[bad]?.length} values, expected ${shape[1]}`);
  }
  if (Array.isArray(data)) return { values: [data.flat(Infinity)], lengths: { n: data.length } };
  if (data.width && shape.length === 3) data = pixels(data, shape[2]);
  const given = data.data ?? data;
  const lengths = data.shape ?? [given.length / count(shape.slice(1)), ...shape.slice(1)];
  const isFit = lengths.length === shape.length && shape.every((n, axis) => n === null || n === lengths[axis]);
  if (!isFit || count(lengths) !== given.length || !Number.isInteger(lengths[0])) {
    const wanted = `[${shape.map((n) => n ?? "any").join(", ")}]`;
    throw new RangeError(`${given.length} values of shape [${lengths.join(", ")}], expected shape ${wanted}`);
  }
  return { values: [given], lengths: { shapes: [lengths] } };
}

/** The channels of an ImageData, which has four, as a picture of rows, columns and channels. */
function pixels({ data, width, height }, channels) {
  const shape = [height, width, channels];
  if (channels === 4) return { data, shape };
  const kept = new Uint8Array(width * height * channels);
  if (channels === 3) {
    for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
      kept[to] = data[from];
      kept[to + 1] = data[from + 1];
      kept[to + 2] = data[from + 2];
    }
  } else {
    for (let from = 0, to = 0; from < data.length; from += 4)
      for (let channel = 0; channel < channels; channel++) kept[to++] = data[from + channel];
  }
  return { data: kept, shape };
}

const asBatch = (row) =>
  META.kind === "frame"
    ? Object.fromEntries(META.columns.filter((c) => c.used).map(({ name }) => [name, [row?.[name] ?? null]]))
    : row?.data && row.shape ? { data: row.data, shape: [1, ...row.shape] } : [row];

function rowViews(exports) {
  const { buffer } = exports.memory;
  const start = exports.fuse_row_inputs();
  const end = exports.fuse_row_results();
  const views = { buffer };
  for (const dtype of META.row.dtypes)
    views[dtype] = new (arrayOf(dtype))(buffer, start, Math.floor(META.row.bytes / sizeOf(dtype)));
  views.results = META.row.outputs.map(({ dtype, at, size }) => new (arrayOf(dtype))(buffer, end + at, size));
  return views;
}

// Loading

let own = null;

/** The pipeline, from the file beside this one, or from a URL, a Response, bytes or a WebAssembly.Module. */
export async function load(source) {
  if (source === undefined) {
    own ??= compiled(new URL("./pipeline.wasm", import.meta.url)).catch((error) => { own = null; throw error; });
    return instance(await own);
  }
  return instance(await compiled(await source));
}

async function instance(module) {
  return new Model(module, await WebAssembly.instantiate(module, {}));
}

async function compiled(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  if (typeof source === "string" || source instanceof URL) {
    const url = new URL(source, import.meta.url);
    if (url.protocol === "file:" && typeof process !== "undefined" && process.versions?.node) {
      const id = "node:fs/promises";
      const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ id);
      return WebAssembly.compile(await readFile(url));
    }
    source = await fetch(url);
  }
  if (!source.ok) throw new Error(`${source.url || "the module"}: ${source.status} ${source.statusText}`);
  const type = source.headers.get("content-type") ?? "";
  if (type.startsWith("application/wasm")) return WebAssembly.compileStreaming(source);
  return WebAssembly.compile(await source.arrayBuffer());
}

/** The pipeline in a worker: `await (await connect()).predict(data)`. Meant for batches of milliseconds. */
export async function connect() {
  const { module } = await load();
  const worker = await started(module);
  const waiting = new Map();
  let last = 0;
  worker.listen(({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(Object.assign(new (globalThis[error.name] ?? Error)(error.message)));
    else resolve(result);
  });
  const ask = (method, data) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      worker.post({ id: last, method, data });
    });
  return {
    predict: (data) => ask("predict", data),
    predictOne: (row) => ask("predictOne", row),
    dispose: () => worker.terminate(),
  };
}

async function started(module) {
  if (typeof Worker === "function") {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.postMessage({ module });
    return {
      post: (message) => worker.postMessage(message),
      listen: (heard) => { worker.onmessage = ({ data }) => heard(data); },
      terminate: () => worker.terminate(),
    };
  }
  const id = "node:worker_threads";
  const threads = await import(/* @vite-ignore */ /* webpackIgnore: true */ id);
  const worker = new threads.Worker(new URL("./worker.js", import.meta.url));
  worker.postMessage({ module });
  return {
    post: (message) => worker.postMessage(message),
    listen: (heard) => worker.on("message", heard),
    terminate: () => worker.terminate(),
  };
}
