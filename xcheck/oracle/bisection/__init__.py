"""Directional derivatives, and the search for wrong components: by ratios, and in ever smaller blocks of θ."""
