"""The Array API standard's test suite (data-apis/array-api-tests) against `fuse.numpy`.

    running     the suite in a process of its own, for one module, and what came out

`ARRAY_API_TESTS_CHECKOUT=<folder> python -m tests.array_api_suite [--examples 100] [part …]` runs it with
NumPy, to learn what NumPy itself passes, then with fuse, as users have it and with every step recorded. The
checkout needs its submodule `array-api`, and Python the suite's requirements.
"""
