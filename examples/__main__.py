"""`python -m examples`: see `examples/demo.py`."""

from examples.demo import main

if __name__ == "__main__":
    main()
