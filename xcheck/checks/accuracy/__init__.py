"""Accuracy: how many units in the last place gradients are off, component by component."""
