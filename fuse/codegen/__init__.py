"""Code generation: kernels to LLVM IR."""
