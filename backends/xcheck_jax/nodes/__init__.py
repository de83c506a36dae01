"""Values that parameters act on linearly: where a program is cut there, what follows, and slopes pulled back."""
