"""Suites: the networks, functions and mistakes that methods are tried on, and what each suite counts."""
