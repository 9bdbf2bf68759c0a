"""`fuse.compile`: feature functions and fitted estimators composed into one callable object."""
