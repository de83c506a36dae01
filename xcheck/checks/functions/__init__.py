"""The check of people's own functions: read, run, compare, report. The same file names as for networks."""
