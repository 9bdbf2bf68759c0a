"""Running a plan: arrays to argument blocks, kernels to threads, partial results to values."""
