"""What a kernel needs while it runs, and nothing of what made it.

    buffers   where results live: aligned NumPy arrays over reused memory
    cpus      how many processors this process may use
    nesting   whether somebody else already runs this thread as one of many
    threads   the pool that runs a kernel on several of them
    loader    object code into this process, and its addresses
    cache     object code on disk, between processes
    text      a column of text as Arrow lays it out

A saved scorer needs this package and NumPy. It imports no other part of fuse than the settings, and
llvmlite only inside the functions of `loader`. Import it as `fuse.runtime`: a second copy would have a
second thread pool.
"""
