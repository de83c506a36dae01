"""Documents: a text that is not TOML, and files that cannot be read."""

from pathlib import Path

import pytest

from tests.networks.definition.conftest import (
    GOOD,
    Case,
    complaints,
    edit,
    table,
)
from xcheck.errors import DefinitionError
from xcheck.networks.definition import load

pytestmark = pytest.mark.usefixtures("here")

# --- the text -------------------------------------------------------------------------------------------------------

NOT_TOML: dict[str, Case] = {
    "no value": ("[data]\nfile = \n", ["model.toml:2:8: not TOML: Invalid value"]),
    "table not closed": (
        "[data",
        ["model.toml: not TOML: Expected ']' at the end of a table declaration (at end of document)"],
    ),
    "key twice": (GOOD + "seed = 1\n", ["model.toml:9:9: not TOML: Cannot overwrite a value"]),
    "nested beyond reason": ("a = " + "[" * 100_000, ["model.toml: not TOML: nested too deeply"]),
}

ENDLESS = edit(8, f"seed = {'9' * 5000}")
HEXADECIMAL = edit(8, f"seed = 0x{'F' * 5000}")


@table(NOT_TOML)
def test_a_text_that_is_not_toml(text: str, expected: list[str]) -> None:
    """A text that is not TOML is one mistake, at its line and column where the parser knows them."""
    assert complaints(text) == expected


def test_an_integer_with_thousands_of_digits() -> None:
    """Python's own limit on the digits of an integer does not come out as a traceback."""
    (line,) = complaints(ENDLESS)
    assert line.startswith("model.toml: not TOML: an integer is too long: ")


def test_an_integer_too_long_to_be_written() -> None:
    """A hexadecimal integer may have any length, but a message does not spell it out."""
    assert complaints(HEXADECIMAL) == [
        "model.toml:8:1: check.seed: must be at most 9223372036854775807, got an integer of 20000 bits"
    ]


def test_a_missing_file() -> None:
    """A definition that is not there is named as it was typed."""
    with pytest.raises(DefinitionError, match=r"^nowhere\.toml: cannot read: no such file$"):
        load(Path("nowhere.toml"))


def test_a_folder_in_place_of_a_file(here: Path) -> None:
    """A folder is not a definition."""
    (here / "model.toml").mkdir()
    with pytest.raises(DefinitionError, match=r"^model\.toml: cannot read: Is a directory$"):
        load(Path("model.toml"))


def test_a_file_that_cannot_be_read(here: Path) -> None:
    """The operating system's reason is passed on."""
    (here / "model.toml").symlink_to("model.toml")
    with pytest.raises(DefinitionError, match=r"^model\.toml: cannot read: Too many levels of symbolic links$"):
        load(Path("model.toml"))


def test_a_binary_file(here: Path) -> None:
    """A file that is no text is said to be none."""
    (here / "model.toml").write_bytes(bytes(range(256)))
    with pytest.raises(DefinitionError, match=r"^model\.toml: not a UTF-8 text: .*0x80 in position 128"):
        load(Path("model.toml"))
