"""Directional derivatives, and the search of ever smaller blocks of θ for the components that are wrong."""
