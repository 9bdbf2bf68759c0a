"""Passes over the graph: each a function from graph to graph, in a file named after what it does."""
