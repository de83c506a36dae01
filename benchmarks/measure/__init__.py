"""Measure: processes, times and memory of methods, and the rows that keep them."""
