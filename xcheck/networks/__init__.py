"""Declared networks: their layers, parameters and data, and J as a function of θ."""
