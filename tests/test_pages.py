"""Every code has a page, and every page says what it should."""

import ast
import re
import shlex
import tomllib

import click
import pytest

from xcheck import findings, pages
from xcheck.cli.main import cli
from xcheck.errors import DefinitionError

CODES = pages.codes()
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def sections(text: str) -> dict[str, str]:
    """The text below each heading of a page."""
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def commands(text: str) -> list[list[str]]:
    """What a page tells to type after `python -m xcheck`: whole commands, and flags by themselves."""
    spans = re.findall(r"`([^`]+)`", _FENCE.sub("", text))
    consoles = [code for language, code in _FENCE.findall(text) if language == "console"]
    typed = [line.removeprefix("$ ") for code in consoles for line in code.splitlines()]
    words = [shlex.split(span) for span in (*spans, *typed) if span.startswith(("python -m xcheck", "--"))]
    return [each if each[0].startswith("--") else each[3:] for each in words]


def take(words: list[str]) -> None:
    """Let click read a command line, without running it.

    Raises:
        click.UsageError: there is no such option, or it does not take such a value.
    """
    command = cli.commands.get(words[0], cli.commands["check"])
    if len(words) == 1 and words[0] in (name for parameter in command.params for name in parameter.opts):
        return  # an option that is merely spoken of
    with click.Context(command) as context:
        values, _, _ = command.make_parser(context).parse_args([word for word in words if word != command.name])
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name in values:
                parameter.type_cast_value(context, values[parameter.name])


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    """Findings and pages name the same codes."""
    codes = {value for name, value in vars(findings).items() if name.isupper()}
    assert sorted(codes - set(CODES)) == []
    assert sorted(set(CODES) - codes) == []


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_a_title_and_a_summary(code: str) -> None:
    """`# XC404 at a kink`, a blank line, and one paragraph that fits into a table."""
    one = pages.page(code)
    lines = one.text.splitlines()
    assert lines[0] == f"# {code} {one.title}"
    assert one.title
    assert lines[1] == ""
    before = one.text.partition("\n## ")[0].strip().split("\n\n")
    assert len(before) == 2
    assert one.summary == " ".join(before[1].split())
    assert not one.summary.endswith(".")


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_the_four_headings(code: str) -> None:
    """In their order, with something below each."""
    found = sections(_FENCE.sub("code", pages.page(code).text))
    assert tuple(found) == pages.HEADINGS
    assert all(text.strip() for text in found.values())


@pytest.mark.parametrize("code", CODES)
def test_a_page_is_no_wider_than_the_code(code: str) -> None:
    """At most 120 columns."""
    assert [line for line in pages.page(code).text.splitlines() if len(line) > 120] == []


@pytest.mark.parametrize("code", CODES)
def test_the_code_on_a_page_can_be_read(code: str) -> None:
    """Python is Python, and TOML is TOML."""
    for language, text in _FENCE.findall(pages.page(code).text):
        assert language in ("python", "toml", "console")
        if language == "python":
            ast.parse(text)
        elif language == "toml":
            tomllib.loads(text)


@pytest.mark.parametrize("code", CODES)
def test_the_commands_of_a_page_exist(code: str) -> None:
    """What a page tells to type, click can read."""
    for words in commands(pages.page(code).text):
        take(words)


@pytest.mark.parametrize("code", CODES)
def test_the_codes_that_a_page_names_exist(code: str) -> None:
    """A page leads to pages."""
    assert set(re.findall(r"\bXC\d{3}\b", pages.page(code).text)) <= set(CODES)


@pytest.mark.parametrize(
    "words", [["MODEL", "--sede", "1"], ["--sede"], ["MODEL", "--dropout", "none"], ["--seed", "one"]]
)
def test_a_command_that_does_not_exist_is_noticed(words: list[str]) -> None:
    """A wrong name, a wrong word, a wrong number."""
    with pytest.raises(click.UsageError):
        take(words)


def test_commands_are_found() -> None:
    """In spans, in consoles, and as flags alone; not in Python."""
    text = "`python -m xcheck MODEL -v` or `--seed 1`\n\n```console\n$ python -m xcheck backends\n```\n\n"
    assert commands(text + "```python\n# --none\n```\n") == [["MODEL", "-v"], ["--seed", "1"], ["backends"]]


def test_a_code_may_be_typed_in_small_letters() -> None:
    """As people do."""
    assert pages.page("xc404") == pages.page("XC404")


def test_an_unknown_code_is_answered_with_those_there_are() -> None:
    """A typo is no crash."""
    with pytest.raises(DefinitionError, match=r"no code 'XC999'.*XC404"):
        pages.page("XC999")
