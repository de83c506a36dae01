"""Locate: the line and column at which each key of a TOML document is written.

The standard library's tomllib gives values but no positions, and no other reader of TOML keeps those of values and of
array elements. So the document is scanned a second time here, for positions only. This runs only after a mistake was
found, so it favours plain code over speed.
"""

import re
import tomllib
from bisect import bisect_right
from contextlib import suppress

from xcheck.errors import KeyPath

Position = tuple[int, int]

# Strings as TOML writes them: multi-line before single-line ones, since both begin alike.
_STRING = "|".join(
    (
        r'"""(?:\\.|[^\\])*?"{3,5}',  # the closing quotes may follow one or two that are content
        r"'''.*?'{3,5}",
        r'"(?:\\.|[^"\\])*"',
        r"'[^']*'",
    )
)
_KEY_PART = re.compile(rf"{_STRING}|[A-Za-z0-9_-]+")
# Numbers, dates and words end where their array, table or line does, or a comment begins.
_SCALAR = re.compile(rf"{_STRING}|[^\]}},#\n]+", re.DOTALL)
_BLANK = re.compile(r"(?:[ \t\r\n]|#.*)*")


def positions(text: str) -> dict[KeyPath, Position]:
    """Map every key path of a valid TOML document to the (line, column), both from 1.

    Array elements are part of the paths, by index. A path that is written more than once, such
    as `a` in `[a.b]` and `[a.c]`, keeps its first position. In a text that is not valid TOML the
    scan stops early, and the paths found so far are returned.
    """
    scanner = _Scanner(text)
    # A complaint without its line is better than none; values may be nested deeper than Python can follow.
    with suppress(ValueError, RecursionError):
        scanner.read_document()
    return scanner.found


class _Scanner:
    """A cursor that walks over a document and notes where each key path is first written.

    It leans on tomllib having accepted the text: it reads just enough to tell keys from values,
    and raises ValueError where neither can be read.
    """

    def __init__(self, text: str) -> None:
        self.found: dict[KeyPath, Position] = {}
        self._text = text
        self._at = 0
        # Ascending, so that the line of an offset is found by bisection.
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._latest: dict[KeyPath, int] = {}  # array of tables -> index of its newest element

    def read_document(self) -> None:
        """Read all headers and pairs; a pair belongs to the header above it."""
        table: KeyPath = ()
        while self._skip_blank() < len(self._text):
            if self._accept("["):
                table = self._read_header()
            else:
                self._read_pair(table)

    def _read_header(self) -> KeyPath:
        """Read the rest of `[a.b]` or `[[a.b]]` and return the path of the table it opens."""
        opens_element = self._accept("[")
        parts = self._read_key()
        self._expect("]]" if opens_element else "]")
        path = self._note_key((), parts)
        if opens_element:
            # Each [[a]] opens one element more.
            self._latest[path] = self._latest.get(path, -1) + 1
            path = (*path, self._latest[path])
            self._note(path, parts[-1][0])
        return path

    def _read_pair(self, table: KeyPath) -> None:
        parts = self._read_key()
        self._expect("=")
        self._read_value(self._note_key(table, parts))

    def _read_value(self, path: KeyPath) -> None:
        if self._accept("["):
            self._read_array(path)
        elif self._accept("{"):
            self._read_inline_table(path)
        else:
            self._take(_SCALAR)

    def _read_array(self, path: KeyPath) -> None:
        index = 0
        while not self._accept("]"):
            element = (*path, index)
            self._note(element, self._at)
            self._read_value(element)
            self._accept(",")
            index += 1

    def _read_inline_table(self, path: KeyPath) -> None:
        while not self._accept("}"):
            self._read_pair(path)
            self._accept(",")

    def _read_key(self) -> list[tuple[int, str]]:
        """Read a key such as `a."b c".d` and return the offset and the name of each part."""
        parts: list[tuple[int, str]] = []
        while not parts or self._accept("."):
            parts.append((self._skip_blank(), _unquote(self._take(_KEY_PART))))
        return parts

    def _note_key(self, path: KeyPath, parts: list[tuple[int, str]]) -> KeyPath:
        """Note each part below `path`; one past an array of tables is in its newest element."""
        for offset, name in parts:
            if path in self._latest:
                path = (*path, self._latest[path])
            path = (*path, name)
            self._note(path, offset)
        return path

    def _note(self, path: KeyPath, offset: int) -> None:
        line = bisect_right(self._line_starts, offset)
        # Only the first place is kept: there a person looks for the key.
        self.found.setdefault(path, (line, offset - self._line_starts[line - 1] + 1))

    def _skip_blank(self) -> int:
        """Move past spaces, line ends and comments, and return the new offset."""
        self._take(_BLANK)
        return self._at

    def _accept(self, mark: str) -> bool:
        """Move past blanks, then past `mark` if it comes next."""
        if not self._text.startswith(mark, self._skip_blank()):
            return False
        self._at += len(mark)
        return True

    def _expect(self, mark: str) -> None:
        if not self._accept(mark):
            raise ValueError(f"expected {mark} at offset {self._at}")

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"unexpected text at offset {self._at}")
        self._at = match.end()
        return match.group()


def _unquote(part: str) -> str:
    """Return the name that a key part stands for; quoted parts have the syntax of strings."""
    # tomllib knows all escapes, and has accepted this one.
    return str(tomllib.loads(f"name = {part}")["name"]) if part[0] in "\"'" else part
