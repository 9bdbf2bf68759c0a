"""Pipelines that leave this process: as one WebAssembly module, or as a library with a C header."""
