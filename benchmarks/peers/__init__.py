"""Methods: xcheck's engines, and the ways in which others check a gradient."""
