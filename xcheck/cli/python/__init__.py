"""A MODEL that is Python: how its file or module is loaded, and how its cases are found."""
