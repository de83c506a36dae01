"""Rules that run the backward pass of a declared network with a mistake in it."""
