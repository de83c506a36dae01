"""Gradients from nodes: values on which the parameters act linearly are moved instead of the parameters."""
