"""Where reports go, in which form, and with which colours."""

import io
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from tests.report.test_text import FAILING
from xcheck.checks.result import RENDERERS
from xcheck.cli.options import add_report_options
from xcheck.cli.output import FORMS, build_printer, command_line, open_console, open_report, show_progress
from xcheck.report.text import render


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def printed(stream: Any, form: str = "text", color: str = "auto") -> str:
    """A report, printed."""
    build_printer(form, stream, color)(FAILING)
    return str(stream.getvalue())


def test_a_pipe_gets_plain_text_at_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the renderer has it, and as wide as COLUMNS says."""
    monkeypatch.setenv("COLUMNS", "40")
    assert printed(io.StringIO()) == render(FAILING, width=40) + "\n"


@pytest.mark.parametrize(
    ("stream", "color", "coloured"),
    [(io.StringIO, "auto", False), (io.StringIO, "always", True), (Terminal, "auto", True), (Terminal, "never", False)],
)
def test_colours_go_where_they_are_seen_or_asked_for(
    stream: Any, color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal, or with --color always."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert ("\x1b[1;31m" in printed(stream(), color=color)) is coloured


def test_json_is_a_line() -> None:
    """Whatever the stream is."""
    assert printed(Terminal(), form="json") == FAILING.to_json() + "\n"


@pytest.mark.parametrize("form", ["jsn", "html", "TEXT", ""])
def test_an_unknown_form_is_refused(form: str) -> None:
    """With those that there are; once it was printed as text."""
    with pytest.raises(click.BadParameter, match="is none of text, json"):
        build_printer(form, io.StringIO(), "auto")


def test_the_forms_are_those_of_the_table() -> None:
    """Of the command line, of the printer, and of results."""
    command = add_report_options(click.command()(lambda **_: None))
    (choice,) = (each.type for each in command.params if each.name == "form")
    assert isinstance(choice, click.Choice)
    assert tuple(choice.choices) == FORMS
    assert set(FORMS) <= set(RENDERERS)


def test_the_command_can_be_typed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a module, whichever way it was started."""
    monkeypatch.setattr(sys, "argv", ["/usr/bin/xcheck", "model.toml", "-q"])
    assert command_line() == ("python", "-m", "xcheck", "model.toml", "-q")


def test_a_report_goes_to_a_file_until_the_command_ends(tmp_path: Path) -> None:
    """Without a file it goes to standard output."""
    with click.Context(click.Command("check")):
        stream = open_report(tmp_path / "report.txt")
        stream.write("θ")
    assert stream.closed
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == "θ"
    assert open_report(None) is sys.stdout


def test_a_file_that_cannot_be_opened_is_a_usage_error(tmp_path: Path) -> None:
    """With its name and the reason."""
    with pytest.raises(click.FileError, match="No such file"):
        open_report(tmp_path / "nowhere" / "report.txt")


def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to call where nobody would see it; on a terminal the bar names the model."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with show_progress("model.toml", "auto") as progress:
        assert progress is None
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with show_progress("model.toml", "never", "steps") as progress:
        progress(1, 2)
        progress(2, 2, "loss 0.5")
    assert "model.toml: loss 0.5" in terminal.getvalue()


def test_a_console_without_colours_has_none() -> None:
    """--color never holds on a terminal as well."""
    assert open_console(Terminal(), "never").no_color
    assert open_console(io.StringIO(), "always").is_terminal
