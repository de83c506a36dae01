"""What all reports share on a console."""

import pytest
from rich.text import Text

from xcheck.report.console import build_table, pad, print_commands, print_sections, render_text, repeat_command


def test_square_brackets_are_no_style() -> None:
    """Names of components keep theirs, in cells and headings."""
    rows: list[list[str | Text]] = [["W[red]", "1"], [Text("[/]"), "2"]]
    text = render_text(lambda console: console.print(build_table(["[b]", "x"], rows, narrow=False)), 40)
    assert [line.split() for line in text.splitlines()] == [["[b]", "x"], ["W[red]", "1"], ["[/]", "2"]]


def test_cells_fold_and_nothing_is_cut() -> None:
    """A long name on a narrow page."""
    text = render_text(lambda console: console.print(build_table(["name"], [("a" * 30,)], narrow=True)), 12)
    assert "".join(text.split()) == "name" + "a" * 30
    assert all(len(line) <= 12 for line in text.splitlines())


def test_commands_stay_in_one_piece() -> None:
    """However narrow the page: they are there to be copied."""
    command = "again: python -m xcheck model.toml --backend numpy"
    assert render_text(lambda console: print_commands(console, [command]), 20) == f"\n  {command}"
    assert render_text(lambda console: print_commands(console, []), 20) == ""


def test_every_run_can_be_repeated() -> None:
    """Sections end with the command, and the seed that it needs; without a command there is nothing to type."""
    command = ["python", "-m", "xcheck", "selftest", "m.toml"]
    text = render_text(lambda console: print_sections(console, ["one"], command, 7), 80)
    assert text == "one\n\n  again: python -m xcheck selftest m.toml --seed 7"
    assert render_text(lambda console: print_sections(console, ["one"], (), 7), 80) == "one"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["xcheck", "my model.toml"], "again: xcheck 'my model.toml' --seed 7"),
        (["xcheck", "m.toml", "--seed", "3"], "again: xcheck m.toml --seed 3"),
        (["xcheck", "m.toml", "--seed=3"], "again: xcheck m.toml --seed=3"),
    ],
)
def test_the_seed_is_typed_once(command: list[str], expected: str) -> None:
    """The one that was typed, or the one that was drawn from."""
    assert repeat_command(command, 7) == expected


def test_text_is_two_columns_to_the_right() -> None:
    """Every line of it."""
    text = render_text(lambda console: console.print(pad("one two three")), 10)
    assert text.splitlines() == ["  one two", "  three"]
