"""How fast fuse is beside the libraries it replaces: `python -m bench run`.

    workloads/    one file each: plain library code, the same code under `fuse.jit`, seeded data, the bars
    case.py       what is compared, and the bars
    rounds.py     who is timed when: in turns, inside one process
    equality.py   results are compared before anything is timed
    processes.py  what needs a process of its own
    table.py      the table and the JSON file

A shared machine's speed wanders, so only ratios count, and only those of two calls made right after one
another.
"""
