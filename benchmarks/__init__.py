"""Measurements of xcheck; run from a checkout with `python -m benchmarks`."""
