"""Machine code of kernels: from memory, from the cache on disk, or compiled now."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field

from fuse import config
from fuse.plan.kernels import SYMBOL, Kernel, Layout, scratch_bytes, to_text
from fuse.runtime import cache, sources
from fuse.runtime.collection import rare_collections


@dataclass(frozen=True)
class Code:
    """Loaded machine code of a kernel; `library` keeps it alive."""

    address: int
    library: object
    scratch: int


@dataclass
class CodeCache:
    """Compiled kernels of this process, by text, layout and target; hits and misses are counted for
    `explain`.
    """

    codes: dict[str, Code] = field(default_factory=dict)
    compiled: int = 0
    loaded: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


codes = CodeCache()


def code_for(kernel: Kernel, layout: Layout) -> Code:
    """Machine code for arrays that lie like this: from memory, from disk, or compiled now."""
    from fuse.codegen.target import current_target

    target = current_target()
    key = sources.key(target.key, str(layout), to_text(kernel))
    found = codes.codes.get(key)
    if found is not None:
        return found
    with codes.lock:
        return codes.codes.get(key) or _load(key, kernel, layout)


def _load(key: str, kernel: Kernel, layout: Layout) -> Code:
    from fuse.runtime import loader

    object_code = cache.get(key)
    if object_code is None or config.current().dump & {"llvm", "asm"}:
        object_code = _compile(kernel, layout)
        cache.put(key, object_code)
        codes.compiled += 1
    else:
        codes.loaded += 1
    library = loader.load(object_code, [SYMBOL])
    code = codes.codes[key] = Code(library[SYMBOL], library, scratch_bytes(kernel, layout))
    return code


def _compile(kernel: Kernel, layout: Layout) -> bytes:
    from fuse.codegen.kernel import emit_module
    from fuse.codegen.target import compile_to_object, current_target

    dump = config.current().dump
    with rare_collections():
        source = emit_module(kernel, layout, current_target())
    if "llvm" in dump:
        sys.stderr.write(source + "\n")
    return compile_to_object(source, current_target(), dump)
