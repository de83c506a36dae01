"""Gradients held against the oracle and against each other: tolerances, bounds, pairs, coverage."""
