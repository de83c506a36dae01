"""Derivatives that are written by hand, in whatever form: called, read, and brought to the gradient of one number."""
