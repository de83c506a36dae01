"""The console that tables are printed on."""

from rich.console import Console

_WIDTH = 144


def wide_console() -> Console:
    """Return a console that is wide enough for the tables, also in a pipe."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=_WIDTH)
