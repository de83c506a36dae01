"""What all reports share on a console: tables that fold, indentation, and text of a given width."""

import io
import shlex
from collections.abc import Callable, Iterable, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from xcheck.verdict import Verdict

# Below so many columns, tables have fewer digits and words: a table of a pair needs about 60.
NARROW = 60
STYLES = {
    Verdict.AGREE: "bold green",
    Verdict.UNDECIDED: "bold yellow",
    Verdict.DISAGREE: "bold red",
    Verdict.ERROR: "bold magenta",
}


def render_text(show: Callable[[Console], None], width: int) -> str:
    """Return what `show` prints on a console as plain text of at most `width` columns."""
    stream = io.StringIO()
    # In a notebook rich would not write into the stream but display.
    console = Console(
        file=stream, width=width, no_color=True, force_terminal=False, force_jupyter=False, highlight=False
    )
    show(console)
    # Tables pad their last column; such blanks would show in diffs of golden files.
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def print_sections(console: Console, sections: Iterable[RenderableType], command: Sequence[str], seed: int) -> None:
    """Print sections, and the command that repeats the run with the same seed."""
    for section in sections:
        console.print(section)
    print_commands(console, [repeat_command(command, seed)] if command else [])


def print_commands(console: Console, commands: Iterable[str]) -> None:
    """Print the commands that can be typed next, after an empty line."""
    for number, command in enumerate(commands):
        if not number:
            console.print()
        # A command stays in one piece, however narrow the terminal: it is there to be copied.
        console.print(f"  {command}", soft_wrap=True, markup=False)


def repeat_command(command: Sequence[str], seed: int) -> str:
    """Return the command that repeats a run with the same random numbers."""
    # A seed that was typed is in the command already.
    seeded = any(word == "--seed" or word.startswith("--seed=") for word in command)
    return f"again: {shlex.join([*command, *([] if seeded else ['--seed', str(seed)])])}"


def build_table(headings: Sequence[str], rows: Iterable[Sequence[str | Text]], *, narrow: bool) -> Table:
    """Return a table without lines: names on the left, numbers on the right, folded where there is no room.

    Cells become `Text`: rich would take square brackets in a string, as in W1[0], for a style.
    """
    # Lines would be cut where a table folds, and screen readers spell them out.
    grid = Table(box=None, padding=(0, 1 if narrow else 2, 0, 0), pad_edge=False, header_style="dim")
    for number, heading in enumerate(headings):
        # A column without a heading holds words about the numbers before it, which stand on the left.
        grid.add_column(Text(heading), justify="right" if number and heading else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return grid


def pad(content: RenderableType | str) -> Padding:
    """Return content, moved two columns to the right."""
    # expand=False: rich would fill the line with blanks, which a copy from the terminal takes along.
    return Padding(Text(content) if isinstance(content, str) else content, (0, 0, 0, 2), expand=False)


def add_title(title: str, content: RenderableType | str) -> Iterable[RenderableType]:
    """Yield content under a title, after an empty line."""
    yield ""
    yield pad(Text(title, style="bold"))
    yield pad(content)
