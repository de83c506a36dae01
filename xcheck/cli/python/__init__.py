"""MODEL as Python: how cases are found in a file or module, and by which names they are called."""
