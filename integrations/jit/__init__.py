"""`@fuse.jit`: run a function once on stand-ins, keep the plan under its arguments' signature, replay it.

function      the callable: plan, recording, or the plain function for this call
signature     the arguments' key and arrays       carriers      which library takes a value apart
trace         one recording                       stand_ins     what the function gets as arguments
substitute    its `np` and `pd` are fuse's         surroundings  what it read, and is that still the same
results       what it returned, as a template     writeback     what it did to its arguments
effects       what it did to anything else        impure        is it different at every call
plan          a recording made replayable         statistics    what became of the calls
explaining    a plan in words                     evaluate      several lazy objects in one pass
"""
