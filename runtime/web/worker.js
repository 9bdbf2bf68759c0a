// The pipeline in a worker of a page or of Node: takes the module first, then calls.

import { load } from "./index.js";

const inPage = typeof self !== "undefined" && typeof self.postMessage === "function";
const id = "node:worker_threads";
const port = inPage ? self : (await import(/* @vite-ignore */ /* webpackIgnore: true */ id)).parentPort;
let model = null;

async function heard({ module, id: number, method, data }) {
  if (module) {
    model = load(module);
    return;
  }
  try {
    const result = (await model)[method](data);
    port.postMessage({ id: number, result }, buffers(result));
  } catch (error) {
    port.postMessage({ id: number, error: { name: error.name, message: error.message } });
  }
}

/** The memory of a result, handed over instead of copied. */
function buffers(result) {
  if (ArrayBuffer.isView(result)) return [result.buffer];
  if (result === null || typeof result !== "object") return [];
  return [...new Set(Object.values(result).flatMap(buffers))];
}

if (inPage) self.onmessage = ({ data }) => heard(data);
else port.on("message", heard);
