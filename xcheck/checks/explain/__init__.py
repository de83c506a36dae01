"""One component of a gradient from close up."""
