"""Three pipelines in plain library code with one decorator: `python -m examples`, or `make demo`.

Each file has the same four functions: `rows()` is the data that ships inside scikit-learn,
`many_rows(count)` is more of the same kind, `build()` fits what is to be fitted and returns `run`, the
pipeline under `fuse.jit`.
"""
