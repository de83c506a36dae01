"""People's own functions: their arguments as one vector θ with names."""
