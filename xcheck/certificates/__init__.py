"""Slopes with proved bounds: the loss and its slope along a direction, operation by operation, in ball arithmetic."""
