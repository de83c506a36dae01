"""Reading csv files: what is accepted, and where exactly a mistake stands."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from xcheck.errors import DefinitionError
from xcheck.networks.data import Table, read_csv

pytestmark = pytest.mark.usefixtures("here")


def read(
    text: str | bytes, *, target: Sequence[str] = ("y",), features: Sequence[str] | None = None, classes: bool = True
) -> Table:
    """Write a csv file and read it."""
    Path("d.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return read_csv(Path("d.csv"), target=target, features=features, classes=classes)


def complaints(
    text: str | bytes, *, target: Sequence[str] = ("y",), features: Sequence[str] | None = None, classes: bool = True
) -> list[str]:
    """Return what is said about a csv file that cannot be used."""
    with pytest.raises(DefinitionError) as caught:
        read(text, target=target, features=features, classes=classes)
    return [str(complaint) for complaint in caught.value.complaints]


# --- what is accepted -----------------------------------------------------------------------------------------------

PLAIN = "a,b,y\n1,2,0\n3,4,1\n"
ACCEPTED: dict[str, str | bytes] = {
    "plain": PLAIN,
    "no last line end": PLAIN.rstrip("\n"),
    "Windows line ends": PLAIN.replace("\n", "\r\n"),
    "old Macintosh line ends": PLAIN.replace("\n", "\r"),
    "byte order mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "quoted": '"a","b","y"\n"1","2","0"\n"3","4","1"\n',
    "spaces": " a , b,y \n1, 2 ,0\n 3,4 , 1\n",
    "spaces before quotes": 'a, "b", "y"\n1, "2", "0"\n3, "4", "1"\n',
    "blank lines": "\n\na,b,y\n\n1,2,0\n   \n3,4,1\n\n\n",
    "line ends in quotes": 'a,b,y\n"1\n",2,0\n3,"\n\n4",1\n',
    "scientific notation": "a,b,y\n1e0,.2E+1,0\n30e-1,+4.,1.0\n",
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_ways_to_write_a_csv(text: str | bytes) -> None:
    """However a csv writes it, the same table comes out."""
    table = read(text)
    assert table.features == ("a", "b")
    assert table.inputs.tolist() == [[1, 2], [3, 4]]
    assert table.labels.tolist() == [[0], [1]]


def test_numbers_are_read_to_the_last_bit() -> None:
    """A float64 that was written with all its digits comes back as it was."""
    values = np.random.default_rng(0).standard_normal(100) * 10.0 ** np.arange(-50, 50)
    text = "a,y\n" + "".join(f"{value!r},0\n" for value in values.tolist())
    assert read(text).inputs[:, 0].tolist() == values.tolist()


def test_quotes_may_hold_commas_and_quotes() -> None:
    """A quoted cell may hold what would else end it."""
    table = read('"a,""b""",y\n1,"no, thanks"\n2,yes\n')
    assert table.features == ('a,"b"',)
    assert table.labels.tolist() == [["no, thanks"], ["yes"]]


def test_features_that_are_named() -> None:
    """Only the features that are named are read; what stands in other columns does not matter."""
    table = read("id,a,b,y\nfirst,1,2,0\n,3,4,1\n", features=["b", "a"])
    assert (table.features, table.inputs.tolist()) == (("b", "a"), [[2, 1], [4, 3]])


def test_several_targets() -> None:
    """Several target columns are read in the order in which they are named, and are no features."""
    table = read("a,b,y\n1,2,0\n3,4,1\n", target=["y", "a"])
    assert (table.features, table.labels.tolist()) == (("b",), [[0, 1], [1, 3]])


def test_words_are_targets_where_the_loss_takes_classes() -> None:
    """Words in the target column stay words, without the spaces around them."""
    assert read("a,y\n1, cat\n2,dog \n").labels.tolist() == [["cat"], ["dog"]]


# --- cells ----------------------------------------------------------------------------------------------------------

CELLS = {
    "word": ("four", "'four' is not a number"),
    "empty": ("", "the cell is empty"),
    "blank": ("  ", "the cell is empty"),
    "nan": ("nan", "'nan' is not a finite number"),
    "NaN": ("NaN", "'NaN' is not a finite number"),
    "inf": ("inf", "'inf' is not a finite number"),
    "minus infinity": ("-Infinity", "'-Infinity' is not a finite number"),
    "beyond float64": ("1e999", "'1e999' is not a finite number"),
    "missing in R": ("NA", "'NA' is not a number"),
    "decimal comma": ('"1,5"', "'1,5' is not a number"),
    "thousands": ("1_000", "'1_000' is not a number"),
    "hexadecimal": ("0x10", "'0x10' is not a number"),
    "digits of another script": ("٣", "'٣' is not a number"),
    "typographic minus": ("−3", "'−3' is not a number"),
    "NUL": ("\0", "'\\x00' is not a number"),
    "two lines": ('"1\n2"', "'1\\n2' is not a number"),
    "long": ("x" * 5000, f"'{'x' * 37}...' is not a number"),
}


@pytest.mark.parametrize(("cell", "text"), CELLS.values(), ids=CELLS.keys())
def test_a_cell_that_is_no_number(cell: str, text: str) -> None:
    """A cell of a feature is a finite number, or is shown with its line and column in the file and its name."""
    assert complaints(f"a,b,y\n1,2,0\n3,{cell},1\n") == [f"d.csv:3:2: row 2, column 'b': {text}"]


@pytest.mark.parametrize("cell", ["four", "", "nan"])
def test_a_target_that_is_no_number(cell: str) -> None:
    """Where the loss takes numbers, a target is held to the same as a feature."""
    (line,) = complaints(f"a,y\n1,2\n3,{cell}\n", classes=False)
    assert line.startswith("d.csv:3:2: row 2, column 'y': ")


def test_every_bad_cell_is_named() -> None:
    """All bad cells are said at once, row by row."""
    assert complaints("a,b,y\nx,2,0\n3,4,1\n5,,0\n") == [
        "d.csv:2:1: row 1, column 'a': 'x' is not a number",
        "d.csv:4:2: row 3, column 'b': the cell is empty",
    ]


def test_hundreds_of_bad_cells_are_counted() -> None:
    """Ten bad cells are shown, the rest are counted."""
    lines = complaints("a,b,y\n" + "x,y,0\n" * 100)
    assert len(lines) == 11
    assert lines[-2:] == ["d.csv:6:2: row 5, column 'b': 'y' is not a number", "d.csv: ... and 190 more"]


LINES = {
    "after blank lines": ("\n\na,y\n\n\n1,0\n\nx,1\n", "d.csv:8:1: row 2"),
    "after a cell of three lines": ('a,y\n"1\n\n",0\nx,1\n', "d.csv:5:1: row 2"),
    "in a row of three lines": ('a,y\n1,0\n"x\n\n",1\n', "d.csv:3:1: row 2"),
    "in a header of two lines": ('"a\n",y\n1,0\nx,1\n', "d.csv:4:1: row 2"),
    "with Windows line ends": ('a,y\r\n"1\r\n",0\r\nx,1\r\n', "d.csv:4:1: row 2"),
    "after a byte order mark": ("\ufeffa,y\n1,0\nx,1\n", "d.csv:3:1: row 2"),
}


@pytest.mark.parametrize(("text", "start"), LINES.values(), ids=LINES.keys())
def test_the_line_is_that_of_the_file(text: str, start: str) -> None:
    """The line is the one on which the row begins, as an editor counts."""
    assert complaints(text) == [f"{start}, column 'a': 'x' is not a number"]


MIXED = {
    "a word among numbers": (["0", "1", "oops"], "d.csv:4:2: row 3, column 'y': 'oops' is a word among numbers"),
    "a number among words": (["cat", "3", "dog"], "d.csv:3:2: row 2, column 'y': '3' is a number among words"),
    "nan among words": (["cat", "dog", "nan"], "d.csv:4:2: row 3, column 'y': 'nan' is a number among words"),
}


@pytest.mark.parametrize(("cells", "text"), MIXED.values(), ids=MIXED.keys())
def test_classes_are_of_one_kind(cells: list[str], text: str) -> None:
    """A slip in a column of classes does not silently become a class of its own."""
    rows = "".join(f"1,{cell}\n" for cell in cells)
    assert complaints(f"a,y\n{rows}") == [f"{text}; classes are all words or all numbers"]


def test_a_class_is_not_empty() -> None:
    """A hole in a column of words is no class."""
    assert complaints("a,y\n1,cat\n2,\n3,dog\n") == ["d.csv:3:2: row 2, column 'y': the cell is empty"]


# --- the shape ------------------------------------------------------------------------------------------------------

NO_DATA = "d.csv: no data: a csv needs a header row and at least one row of values"
SHAPES: dict[str, tuple[str | bytes, list[str]]] = {
    "empty": ("", [NO_DATA]),
    "blank lines": ("\n \n\n", [NO_DATA]),
    "header only": ("a,b,y\n", [NO_DATA]),
    "byte order mark only": (b"\xef\xbb\xbf", [NO_DATA]),
    "ragged": (
        "a,b,y\n1,2,0\n3,4\n\n5,6,1,7\n",
        ["d.csv:3: row 2 has 2 values, the header has 3", "d.csv:5: row 3 has 4 values, the header has 3"],
    ),
    "column twice": ("a,b,a,y\n1,2,3,0\n", ["d.csv:1:3: column 'a' stands twice in the header"]),
    "column without a name": (
        ",a,y\n0,1,0\n1,2,1\n",
        ["d.csv:1:1: column 1 has no name; name it, or list the columns to use in data.features"],
    ),
    "semicolons": (
        "a;b;y\n1;2;0\n",
        ["d.csv:1:1: the header is one column, 'a;b;y'; separate the values with commas"],
    ),
    "tabs": (
        "a\tb\ty\n1\t2\t0\n",
        ["d.csv:1:1: the header is one column, 'a\\tb\\ty'; separate the values with commas"],
    ),
    "quote left open": (
        'a,y\n1,0\n"2,1\n3,0\n',
        ["d.csv:3: not a csv file: unexpected end of data; look at the quotes in this row"],
    ),
    "text after a quote": (
        'a,y\n1,0\n"2"x,1\n',
        ["d.csv:3: not a csv file: ',' expected after '\"'; look at the quotes in this row"],
    ),
    "Latin-1": ("a,y\n1,caf\xe9\n".encode("latin-1"), ["d.csv:2: not UTF-8: byte 0xe9; save the file as UTF-8"]),
    "Latin-1 after a mark": (b"\xef\xbb\xbfa,y\n1,\xe9\n", ["d.csv:2: not UTF-8: byte 0xe9; save the file as UTF-8"]),
    "UTF-16": ("a,y\n1,0\n".encode("utf-16"), ["d.csv:1: not UTF-8: byte 0xff; save the file as UTF-8"]),
    "binary": (bytes(range(256)), ["d.csv:2: not UTF-8: byte 0x80; save the file as UTF-8"]),
}


@pytest.mark.parametrize(("text", "expected"), SHAPES.values(), ids=SHAPES.keys())
def test_a_file_that_is_no_table(text: str | bytes, expected: list[str]) -> None:
    """What is no csv, holds no data or has no clear columns is refused before any cell is read."""
    assert complaints(text) == expected


def test_a_file_that_cannot_be_read() -> None:
    """The operating system's reason is passed on, at the key that names the file."""
    with pytest.raises(DefinitionError, match=r"^data\.file: cannot read no\.csv: No such file or directory$"):
        read_csv(Path("no.csv"), target=["y"], features=None, classes=True)


# --- the columns ----------------------------------------------------------------------------------------------------

COLUMNS: dict[str, tuple[Sequence[str], Sequence[str] | None, list[str]]] = {
    "unknown target": (["z"], None, ["data.target: d.csv has no column 'z'; it has 'a', 'b', 'y'"]),
    "unknown targets": (
        ["y", "z"],
        None,
        ["data.target[1]: d.csv has no column 'z'; it has 'a', 'b', 'y'"],
    ),
    "names in capitals": (["Y"], None, ["data.target: d.csv has no column 'Y'; it has 'a', 'b', 'y'"]),
    "unknown feature": (["y"], ["a", "c"], ["data.features[1]: d.csv has no column 'c'; it has 'a', 'b', 'y'"]),
    "target among the features": (
        ["y"],
        ["a", "y"],
        ["data.features[1]: 'y' is the target and cannot be a feature"],
    ),
    "feature twice": (["y"], ["a", "b", "a"], ["data.features[2]: 'a' is named twice"]),
    "target twice": (["y", "y"], None, ["data.target[1]: 'y' is named twice"]),
    "no features left": (
        ["a", "b", "y"],
        None,
        ["data.target: no feature columns are left beside the target"],
    ),
    "everything": (
        ["z"],
        ["c"],
        [
            "data.target: d.csv has no column 'z'; it has 'a', 'b', 'y'",
            "data.features[0]: d.csv has no column 'c'; it has 'a', 'b', 'y'",
        ],
    ),
}


@pytest.mark.parametrize(("target", "features", "expected"), COLUMNS.values(), ids=COLUMNS.keys())
def test_columns_that_do_not_fit(target: Sequence[str], features: Sequence[str] | None, expected: list[str]) -> None:
    """A column that cannot be what it is named for is said at the key of the definition."""
    assert complaints(PLAIN, target=target, features=features) == expected


def test_many_columns_are_not_all_listed() -> None:
    """Of many columns the first eight are shown."""
    header = ",".join(f"c{place}" for place in range(100))
    assert complaints(header + "\n" + ",".join(["1"] * 100) + "\n") == [
        "data.target: d.csv has no column 'y'; it has 'c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', ..."
    ]


def test_columns_without_a_name_do_no_harm_where_features_are_named() -> None:
    """A row number that nobody asked for is left out."""
    assert read(",a,,y\n0,1,x,0\n1,2,x,1\n", features=["a"]).inputs.tolist() == [[1], [2]]
