"""The check of a declared network: read, run, compare, report."""
