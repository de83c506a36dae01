"""A loss that returns an array: through one cotangent, or output by output, as a whole Jacobian."""
