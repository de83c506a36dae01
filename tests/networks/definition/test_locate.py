"""Tests for the positions of keys in TOML documents."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xcheck.errors import KeyPath
from xcheck.networks.definition.locate import Position, positions

Tree = str | list["Tree"] | dict[str, "Tree"]  # a str is a value as TOML writes it
T = TypeVar("T")
Case = tuple[str, dict[KeyPath, Position]]

KEYS: dict[str, Case] = {
    "bare": ("a-b_1 = 1", {("a-b_1",): (1, 1)}),
    "digits": ("12 = 1", {("12",): (1, 1)}),
    "no spaces": ("a=1\nb=2", {("a",): (1, 1), ("b",): (2, 1)}),
    "indented by spaces": ("  a = 1", {("a",): (1, 3)}),
    "indented by tabs": ("\t\ta\t=\t1\t", {("a",): (1, 3)}),
    "basic quoted": ('"a b" = 1', {("a b",): (1, 1)}),
    "literal quoted": ("'a\"b\\' = 1", {('a"b\\',): (1, 1)}),
    "empty basic": ('"" = 1', {("",): (1, 1)}),
    "empty literal": ("''='x'", {("",): (1, 1)}),
    "escaped quote": (r'"a\"]=.#" = 1', {('a"]=.#',): (1, 1)}),
    "escaped backslash last": (r'"a\\" = 1', {("a\\",): (1, 1)}),
    "unicode escapes": (r'"\u00e9\U0001F600\t" = 1', {("é😀\t",): (1, 1)}),
    "dotted": ("a.b.c = 1", {("a",): (1, 1), ("a", "b"): (1, 3), ("a", "b", "c"): (1, 5)}),
    "dotted with spaces": (" a . b\t. 'c' = 1", {
        ("a",): (1, 2), ("a", "b"): (1, 6), ("a", "b", "c"): (1, 10),
    }),
    "dotted and quoted": ("\"a.b\".''.'é'.c = 1", {
        ("a.b",): (1, 1), ("a.b", ""): (1, 7), ("a.b", "", "é"): (1, 10),
        ("a.b", "", "é", "c"): (1, 14),
    }),
    "dotted twice keeps the first": ("a.b = 1\na.c = 2", {
        ("a",): (1, 1), ("a", "b"): (1, 3), ("a", "c"): (2, 3),
    }),
    "dotted number": ("3.14 = 'pi'", {("3",): (1, 1), ("3", "14"): (1, 3)}),
    "comment after a value": ("a = 1 # b = 'c' [d] \"\nb = 2#", {("a",): (1, 1), ("b",): (2, 1)}),
}  # fmt: skip

# Each value is followed by a key on the last line, which is found only if the value's end is.
VALUES: dict[str, str] = {
    "integer": "-1_000",
    "hexadecimal": "0xDEAD_beef",
    "float": "+6.6e-34",
    "special float": "-inf",
    "boolean": "true",
    "date and time": "1979-05-27T00:32:00.999-07:00",
    "date and time with a space": "1979-05-27 07:32:00Z",
    "date": "1979-05-27",
    "time": "07:32:00",
    "basic": '"x"',
    "empty basic": '""',
    "basic with marks": '"# [b] = {c = 1}, \'"',
    "basic with escapes": r'"\"\\\u00e9\\"',
    "literal": "'x'",
    "empty literal": "''",
    "literal with marks": "'# [b] = \"c\" \\'",
    "multi-line basic": '"""\nb = 1\n[c]\n"""',
    "empty multi-line basic": '""""""',
    "multi-line basic with quotes inside": '"""\n"b" ""c"" \'\'\'\n"""',
    "multi-line basic with quotes first": '"""""b"""',
    "multi-line basic ends with one quote": '"""b = "c""""',
    "multi-line basic ends with two quotes": '"""b = ""c"""""',
    "multi-line basic with escapes": '"""b\\"""c\\\\"""',
    "line-ending backslash": '"""b \\\n    \n  c\\\n"""',
    "multi-line literal": "'''\nb = 1\n[c] \\'''",
    "empty multi-line literal": "''''''",
    "multi-line literal with quotes inside": "'''\n'b' ''c'' \"\"\"\n'''",
    "multi-line literal ends with one quote": "'''b = 'c''''",
    "multi-line literal ends with two quotes": "'''b = ''c'''''",
}

NESTED: dict[str, Case] = {
    "empty array": ("a = [ ]", {("a",): (1, 1)}),
    "array": ("a = [1,'b',  2.5]", {
        ("a",): (1, 1), ("a", 0): (1, 6), ("a", 1): (1, 8), ("a", 2): (1, 14),
    }),
    "trailing comma": ("a = [1 , ]", {("a",): (1, 1), ("a", 0): (1, 6)}),
    "strings with marks": ("a = ['],', \"],\\\"\", 3]", {
        ("a",): (1, 1), ("a", 0): (1, 6), ("a", 1): (1, 12), ("a", 2): (1, 20),
    }),
    "dates with spaces": ("a = [1979-05-27 07:32:00, 1979-05-27]", {
        ("a",): (1, 1), ("a", 0): (1, 6), ("a", 1): (1, 27),
    }),
    "array over lines": ("a = [\n  1,\n\n\t2\n,\n]\nb = 1", {
        ("a",): (1, 1), ("a", 0): (2, 3), ("a", 1): (4, 2), ("b",): (7, 1),
    }),
    "comments in an array": ("a = [ # ]\n1 # , 5\n, # '\n  # 6\n2]#", {
        ("a",): (1, 1), ("a", 0): (2, 1), ("a", 1): (5, 1),
    }),
    "multi-line strings in an array": ("a = ['''\n],''', \"\"\"\n\"],\"\"\"\", 3]", {
        ("a",): (1, 1), ("a", 0): (1, 6), ("a", 1): (2, 8), ("a", 2): (3, 10),
    }),
    "nested arrays": ("a = [[], [1, [2]]]", {
        ("a",): (1, 1), ("a", 0): (1, 6), ("a", 1): (1, 10), ("a", 1, 0): (1, 11),
        ("a", 1, 1): (1, 14), ("a", 1, 1, 0): (1, 15),
    }),
    "empty inline table": ("a = { }", {("a",): (1, 1)}),
    "inline table": ("a = {b = 1,'c'= '}'}", {
        ("a",): (1, 1), ("a", "b"): (1, 6), ("a", "c"): (1, 12),
    }),
    "dotted keys in an inline table": ("a = { b.c = 1, b.d = 2 }", {
        ("a",): (1, 1), ("a", "b"): (1, 7), ("a", "b", "c"): (1, 9), ("a", "b", "d"): (1, 18),
    }),
    "nested inline tables": ("a = {b = {c = {}}, d = [1]}", {
        ("a",): (1, 1), ("a", "b"): (1, 6), ("a", "b", "c"): (1, 11), ("a", "d"): (1, 20),
        ("a", "d", 0): (1, 25),
    }),
    "array of inline tables": ("a = [\n  {b = 1}, # x\n  {b = 2, c = [3]},\n]", {
        ("a",): (1, 1), ("a", 0): (2, 3), ("a", 0, "b"): (2, 4), ("a", 1): (3, 3),
        ("a", 1, "b"): (3, 4), ("a", 1, "c"): (3, 11), ("a", 1, "c", 0): (3, 16),
    }),
}  # fmt: skip

HEADERS: dict[str, Case] = {
    "empty document": ("", {}),
    "only comments": ("# a = 1\n\n  # [b]", {}),
    "table": ("x = 1\n[a]\nb = 1\n[c] # d\ne = 2", {
        ("x",): (1, 1), ("a",): (2, 2), ("a", "b"): (3, 1), ("c",): (4, 2), ("c", "e"): (5, 1),
    }),
    "dotted header": ("[a.b.c]\nd.e = 1", {
        ("a",): (1, 2), ("a", "b"): (1, 4), ("a", "b", "c"): (1, 6),
        ("a", "b", "c", "d"): (2, 1), ("a", "b", "c", "d", "e"): (2, 3),
    }),
    "spaces and quotes": ("  [ \"a]\" . 'b.c' ]\n\td = 1", {
        ("a]",): (1, 5), ("a]", "b.c"): (1, 12), ("a]", "b.c", "d"): (2, 2),
    }),
    "shared prefix keeps the first": ("[a.b]\n[a.c]\n[a]\nd = 1", {
        ("a",): (1, 2), ("a", "b"): (1, 4), ("a", "c"): (2, 4), ("a", "d"): (4, 1),
    }),
    "array of tables": ("[[a]]\nb = 1\n[[a]]\n[[ a ]] # c\nb = 2", {
        ("a",): (1, 3), ("a", 0): (1, 3), ("a", 0, "b"): (2, 1), ("a", 1): (3, 3),
        ("a", 2): (4, 4), ("a", 2, "b"): (5, 1),
    }),
    "dotted array of tables": ("[[a.b]]\nc = 1\n[[a.b]]\nc = 2", {
        ("a",): (1, 3), ("a", "b"): (1, 5), ("a", "b", 0): (1, 5), ("a", "b", 0, "c"): (2, 1),
        ("a", "b", 1): (3, 5), ("a", "b", 1, "c"): (4, 1),
    }),
    "tables in the latest element": ("[[a]]\n[a.b]\nc = 1\n[[a]]\n[a.b]\nc = 2", {
        ("a",): (1, 3), ("a", 0): (1, 3), ("a", 0, "b"): (2, 4), ("a", 0, "b", "c"): (3, 1),
        ("a", 1): (4, 3), ("a", 1, "b"): (5, 4), ("a", 1, "b", "c"): (6, 1),
    }),
    "arrays of tables nest": ("[[a]]\n[[a.b]]\n[[a.b]]\nc = 1\n[[a]]\n[[a.b]]\n[a.b.d]", {
        ("a",): (1, 3), ("a", 0): (1, 3), ("a", 0, "b"): (2, 5), ("a", 0, "b", 0): (2, 5),
        ("a", 0, "b", 1): (3, 5), ("a", 0, "b", 1, "c"): (4, 1),
        ("a", 1): (5, 3), ("a", 1, "b"): (6, 5), ("a", 1, "b", 0): (6, 5),
        ("a", 1, "b", 0, "d"): (7, 6),
    }),
    "another table between elements": ("[[a]]\n[b]\n[[a]]\nc = 1", {
        ("a",): (1, 3), ("a", 0): (1, 3), ("b",): (2, 2), ("a", 1): (3, 3), ("a", 1, "c"): (4, 1),
    }),
    "index and digit key differ": ("[[a]]\n0 = 1\n[b]\n0 = 1", {
        ("a",): (1, 3), ("a", 0): (1, 3), ("a", 0, "0"): (2, 1), ("b",): (3, 2),
        ("b", "0"): (4, 1),
    }),
    "CRLF line ends": ("# x\r\n[a]\r\nb = [\r\n 1, # y\r\n]\r\n\r\nc = '''\r\n'''\r\nd = 1\r\n", {
        ("a",): (2, 2), ("a", "b"): (3, 1), ("a", "b", 0): (4, 2), ("a", "c"): (7, 1),
        ("a", "d"): (9, 1),
    }),
    "columns count characters": ("a = {'é😀' = '😀', b = 1}", {
        ("a",): (1, 1), ("a", "é😀"): (1, 6), ("a", "b"): (1, 18),
    }),
}  # fmt: skip

BROKEN: dict[str, Case] = {
    "no value": ("a = 1\nb =", {("a",): (1, 1), ("b",): (2, 1)}),
    "no equals sign": ("a = 1\nb", {("a",): (1, 1)}),
    "header not closed": ("a = 1\n[b", {("a",): (1, 1)}),
    "array not closed": ("a = [1,", {("a",): (1, 1), ("a", 0): (1, 6), ("a", 1): (1, 8)}),
    "inline table not closed": ("a = {b = 1", {("a",): (1, 1), ("a", "b"): (1, 6)}),
    "unknown escape in a key": ('a = 1\n"\\q" = 2', {("a",): (1, 1)}),
    "stray mark": ("a = 1\n]\nb = 2", {("a",): (1, 1)}),
}

MARKS = ["[", "]", "{", "}", "=", ",", ".", "#", "\n", "\r\n", " ", '"', "'", '"""', "'''", "\\"]


def table(cases: dict[str, Case]) -> pytest.MarkDecorator:
    """Run a test once for each named case."""
    return pytest.mark.parametrize(("text", "expected"), cases.values(), ids=cases.keys())


@table(KEYS | NESTED | HEADERS)
def test_finds_every_key(text: str, expected: dict[KeyPath, Position]) -> None:
    """Every key path of the document is found, at the place where it is first written."""
    assert set(expected) == set(paths(tomllib.loads(text)))
    assert positions(text) == expected


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_finds_where_a_value_ends(value: str) -> None:
    """No part of a value is taken for a key, and the scan goes on right after the value."""
    text = f"a = {value}\nend = 1"
    assert set(tomllib.loads(text)) == {"a", "end"}
    assert positions(text) == {("a",): (1, 1), ("end",): (text.count("\n") + 1, 1)}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_finds_where_an_element_ends(value: str) -> None:
    """The end of a value is also found between the marks of arrays and inline tables."""
    text = f"a = [{value}\n,{{b = 1}}]"
    line = text.count("\n") + 1
    assert positions(text) == {
        ("a",): (1, 1),
        ("a", 0): (1, 6),
        ("a", 1): (line, 2),
        ("a", 1, "b"): (line, 3),
    }


@table(BROKEN)
def test_stops_at_broken_text(text: str, expected: dict[KeyPath, Position]) -> None:
    """A text that is not TOML gives what was found before it broke."""
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(text)
    assert positions(text) == expected


def test_stops_in_endless_nesting() -> None:
    """Nesting deeper than Python's stack stops the scan instead of raising."""
    assert positions("a = " + "[" * 100_000)[("a",)] == (1, 1)


@given(st.lists(st.sampled_from([*MARKS, "a", "1"])).map("".join))
def test_never_raises(text: str) -> None:
    """Any mix of TOML's marks ends the scan without an error, and TOML among it is read fully."""
    found = positions(text)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(found) == set(paths(document))


def paths(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Walk a document and give the path of each key and each element."""
    children: dict[str, object] | dict[int, object] = {}
    if isinstance(value, dict):
        children = value
    elif isinstance(value, list):
        children = dict(enumerate(value))
    for part, child in children.items():
        yield (*path, part)
        yield from paths(child, (*path, part))


class Writer:
    """Writes a document in a random style and marks where it writes each key and element."""

    def __init__(self, random: Random) -> None:
        """Start an empty text; `random` decides its style."""
        self.text = ""
        self.marks: dict[KeyPath, Position] = {}
        self._random = random

    def write_table(self, path: KeyPath, tree: dict[str, Tree]) -> None:
        """Write a table's own pairs under its header, before or after the tables below it."""
        below = {key: value for key, value in tree.items() if self._gets_header(value)}
        pairs = {key: value for key, value in tree.items() if key not in below}
        may_come_last = path != () and isinstance(path[-1], str)
        comes_last = may_come_last and self._coin()
        is_implied = may_come_last and below and not pairs and self._coin()
        if not comes_last and not is_implied:
            self._write_block(path, pairs)
        for key in self._shuffled(below):
            self._write_below((*path, key), below[key])
        if comes_last and not is_implied:
            self._write_block(path, pairs)

    def _gets_header(self, value: Tree) -> bool:
        if isinstance(value, list):
            return value != [] and all(isinstance(item, dict) for item in value) and self._coin()
        return isinstance(value, dict) and self._coin()

    def _write_below(self, path: KeyPath, value: Tree) -> None:
        if isinstance(value, dict):
            self.write_table(path, value)
        for index, item in enumerate(value if isinstance(value, list) else []):
            assert isinstance(item, dict)
            self.write_table((*path, index), item)

    def _write_block(self, path: KeyPath, pairs: dict[str, Tree]) -> None:
        if path:
            self._write_header(path)
        for pair, value in self._shuffled(self._dotted(path, pairs)):
            self.text += self._pick("", "", "  ", "\t", "\n", "# [x]\n")
            self._write_pair(path, pair, value)
            self.text += self._pick("\n", " \n", "# y = '\n")

    def _write_header(self, path: KeyPath) -> None:
        opening, closing = ("[", "]") if isinstance(path[-1], str) else ("[[", "]]")
        self.text += self._pick("", " ") + opening + self._pick("", " ")
        self._write_key(path, 0)
        self.text += self._pick("", " ") + closing + self._pick("\n", " # [x]\n")

    def _dotted(self, path: KeyPath, tree: dict[str, Tree]) -> list[tuple[KeyPath, Tree]]:
        """List the pairs of a table, with some of the tables in it spread into dotted keys."""
        pairs: list[tuple[KeyPath, Tree]] = []
        for key, value in tree.items():
            if isinstance(value, dict) and value and self._coin():
                pairs += self._dotted((*path, key), value)
            else:
                pairs.append(((*path, key), value))
        return pairs

    def _write_pair(self, table: KeyPath, path: KeyPath, value: Tree) -> None:
        self._write_key(path, len(table))
        self.text += self._pick("=", " = ", "\t=  ")
        self._write_value(path, value)

    def _write_key(self, path: KeyPath, start: int) -> None:
        """Write the names in `path` from `start` on; an index is marked where its name is."""
        dot = ""
        for end, part in enumerate(path[start:], start + 1):
            if isinstance(part, str):
                self.text += dot
                place = self._place()
                self.text += self._pick(*spellings(part))
                dot = self._pick(".", " . ")
            self.marks.setdefault(path[:end], place)

    def _write_value(self, path: KeyPath, value: Tree) -> None:
        if isinstance(value, str):
            self.text += value
        elif isinstance(value, list):
            self._write_array(path, value)
        else:
            self._write_inline_table(path, value)

    def _write_array(self, path: KeyPath, items: list[Tree]) -> None:
        self.text += "[" + self._gap()
        for index, item in enumerate(items):
            self.marks[*path, index] = self._place()
            self._write_value((*path, index), item)
            is_last = index == len(items) - 1
            self.text += self._gap() + ("" if is_last and self._coin() else ",") + self._gap()
        self.text += "]"

    def _write_inline_table(self, path: KeyPath, tree: dict[str, Tree]) -> None:
        self.text += "{" + self._pick("", " ")
        for index, (pair, value) in enumerate(self._shuffled(self._dotted(path, tree))):
            self.text += self._pick(",", " , ") if index else ""
            self._write_pair(path, pair, value)
        self.text += self._pick("", " ") + "}"

    def _gap(self) -> str:
        return self._pick("", "", " ", "\n\t", "# ], '\n ")

    def _place(self) -> Position:
        return self.text.count("\n") + 1, len(self.text) - self.text.rfind("\n")

    def _pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _coin(self) -> bool:
        return self._random.random() < 0.5

    def _shuffled(self, items: Iterable[T]) -> list[T]:
        shuffled = list(items)
        self._random.shuffle(shuffled)
        return shuffled


def basic(text: str) -> str:
    """Write a basic string; JSON has the same escapes but leaves DEL as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def spellings(key: str) -> list[str]:
    """Give every way to write a key: basic, all escaped, and where allowed literal and bare."""
    found = [basic(key), '"' + "".join(f"\\U{ord(char):08X}" for char in key) + '"']
    if not re.search(r"['\x00-\x08\x0a-\x1f\x7f]", key):
        found.append(f"'{key}'")
    if re.fullmatch(r"[A-Za-z0-9_-]+", key):
        found += [key, key]
    return found


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NAMES = st.sampled_from(["a", "b", "c-d", "_", "0", "", "a.b", "[x]", "#", "'", '"', "\\", "é😀"])
PIECES = ["x", "\n", "#", "'", '"x', '""x', r"\"", r"\\", " \\\n  ", "]", "}}", ", y = 1", "[z]\n"]
ODD_STRINGS = st.builds(
    lambda pieces, end: '"""' + "".join(pieces) + end + '"""',
    st.lists(st.sampled_from(PIECES), max_size=6),
    st.sampled_from(["", '"', '""']),
)
LEAVES = st.one_of(st.sampled_from(list(VALUES.values())), TEXTS.map(basic), ODD_STRINGS)
KEY_NAMES = NAMES | TEXTS
TREES: st.SearchStrategy[Tree] = st.recursive(
    LEAVES,
    lambda trees: st.one_of(
        st.lists(trees, max_size=3),
        st.dictionaries(KEY_NAMES, trees, max_size=3),
        st.lists(st.dictionaries(KEY_NAMES, trees, max_size=2), max_size=3),
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    tree=st.dictionaries(KEY_NAMES, TREES, max_size=4),
    random=st.randoms(use_true_random=False),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_finds_every_key_in_any_style(tree: dict[str, Tree], random: Random, line_end: str) -> None:
    """In any style of writing, the paths are those of tomllib, each at its written place."""
    writer = Writer(random)
    writer.write_table((), tree)
    text = writer.text.replace("\n", line_end)
    found = positions(text)
    assert set(found) == set(paths(tomllib.loads(text))) == set(paths(tree))
    assert found == writer.marks
    lines = text.split("\n")
    for path, (line, column) in found.items():
        if isinstance(path[-1], str):
            assert lines[line - 1].startswith(tuple(spellings(path[-1])), column - 1)
