"""Libraries for C: an object with its header, and a shared library where a linker is at hand."""
