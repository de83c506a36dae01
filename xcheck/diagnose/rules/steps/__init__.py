"""Rules that carry out the backward pass of a traced loss with a mistake in one step of it."""
