"""The self-test of a check: faults are planted in a gradient, and each must be found and named."""
