"""Arrays that stand for NumPy's and record what a person's function does to them, in the words of `xcheck.trace`."""
