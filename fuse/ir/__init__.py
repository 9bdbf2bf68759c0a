"""The graph IR: immutable, interned, typed nodes over arrays. It knows no pandas, no LLVM, no front end."""
