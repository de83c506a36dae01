"""Publish: tables, plots and comparisons of rows, for the terminal and for the README."""
