"""From graph to kernels: what is fused, what is stored, how each loop is shaped. It knows no LLVM."""
