"""The NumPy front end: a duck array that records what is done with it.

    storage      the cell where elements live: pending expression, concrete array, or pinned buffer
    views        how an array looks at its storage, and writes back through the view
    base         the state of an array: node, elements, observation
    operands     anything NumPy takes, as nodes of one dtype and shape
    elementwise  ufuncs as nodes     ufuncs                   the ways a ufunc call goes
    reductions   sum … argmax        statistics               mean, var, std
    nan_statistics  nansum … nanstd
    scans        cumsum, accumulate, …
    rounding     clip, round, …      layout                   reshape, transpose, basic slices
    joins        concatenate, where, dot                      indexing   a[key], a[key] = values
    fallback     what NumPy runs     functions                the table of NumPy's functions
    creation     zeros, arange, …    array                    the class itself
    face         NumPy's names, recorded                      carrier    arrays at the border of `fuse.jit`
    flat         `a.flat`            composed                 NumPy's own Python code on lazy arrays
    index_maps   roll, pad, tile, …  windows                  windows, diagonals, triangles
    selection    take, choose, …     products                 outer, cross, einsum, gradient
    search       searchsorted, …     sources                  arange, linspace, eye without memory

Recorded: bool, integers and floating point up to 64 bits; of complex numbers, dates and time spans the
ufuncs, views, choices and casts. Object and text dtypes run in NumPy.
"""
