"""WebAssembly: the linker that makes a module of an object, and the package of files around it."""
