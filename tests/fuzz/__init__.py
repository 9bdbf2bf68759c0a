"""Seeded random graphs over every op: what is interpreted, optimized and compiled must agree. `python -m
tests.fuzz`.
"""
