"""Pages that are run: their code, their commands, and the output that they show.

A page is executed from top to bottom, in a folder that holds the data of the examples. Its Python blocks share one
namespace; of console blocks the lines `$ python -m xcheck ...` are typed. A text block right after code, or after
commands, is what the code, or the last command, prints; a line `...` in it stands for what is left out. A comment
before a block says what else it is: `<!-- file: model.py -->` is written into the folder, `<!-- held by TEST -->` is
held by a test of its own, `<!-- read only: WHY -->` is not run.
"""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commands import Done

ROOT = Path(__file__).parents[2]
# The pages of codes and messages are made of the code when the site is built.
PAGES = [
    ROOT / "README.md",
    *sorted(set((ROOT / "docs").rglob("*.md")) - set((ROOT / "docs/reference/codes").glob("*"))),
]
_BLOCK = re.compile(
    r"(?:^<!-- (?P<remark>[^\n]*) -->\n)?^```(?P<language>[\w{}-]*)[^\n]*\n(?P<text>.*?)^```[ ]*$",
    re.DOTALL | re.MULTILINE,
)
_COMMAND = "python -m xcheck "
# Runs `python -m xcheck` with these arguments in the folder of the page.
Command = Callable[..., Done]


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        language: as it says after the fence.
        text: what is in it.
        remark: the comment before it, if there is one.
        start: where its text begins in the page.
        follows: whether nothing but white space stands between it and the block before.
    """

    language: str
    text: str
    remark: str
    start: int
    follows: bool

    @property
    def file(self) -> str:
        """The file that it shows, if its remark says so."""
        return self.remark.removeprefix("file: ") if self.remark.startswith("file: ") else ""

    @property
    def runs(self) -> bool:
        """Whether it is run with its page."""
        return not self.remark.startswith(("held by", "read only"))


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    found: list[Block] = []
    end = 0
    for match in _BLOCK.finditer(page):
        follows = bool(found) and not page[end : match.start()].strip()
        found.append(Block(match["language"], match["text"], match["remark"] or "", match.start("text"), follows))
        end = match.end()
    return found


def block_of(page: Path, language: str, words: str) -> str:
    """Return the one block of a language in a page that contains these words."""
    blocks = blocks_of(page.read_text(encoding="utf-8"))
    (found,) = [block.text for block in blocks if block.language == language and words in block.text]
    return found


def outputs(page: str, folder: Path, command: Command) -> Iterator[tuple[Block, str]]:
    """Run a page in a folder, and yield every block of output that it shows with what was printed."""
    for data in (ROOT / "xcheck" / "examples").glob("*.csv"):
        shutil.copy(data, folder)
    names: dict[str, Any] = {"__name__": "page"}
    printed = ""
    for block in blocks_of(page):
        if block.language == "text":
            if block.follows and printed and block.runs:
                yield block, printed
            printed = ""
        elif block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python" and block.runs:
            printed = _run(block.text, names)
        elif block.language == "console" and block.runs:
            typed = [_type(line[2:], folder, command) for line in block.text.splitlines() if line.startswith("$ ")]
            printed = typed[-1] if typed else ""


def _run(code: str, names: dict[str, Any]) -> str:
    """Run code in the namespace of its page, and return what it prints."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        exec(compile(code, "<page>", "exec"), names)  # noqa: S102 - the documentation's own code
    return stream.getvalue()


def process(folder: Path, *words: str) -> Done:
    """Run `python -m xcheck` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "xcheck", *words], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    return Done(done.returncode, done.stdout, done.stderr)


def _type(line: str, folder: Path, command: Command) -> str:
    """Type a command of xcheck, and return what it prints; others are left to the reader."""
    typed = re.split(r"\s{2,}#", line)[0].strip()
    if not typed.startswith(_COMMAND):
        return ""
    words = [word for part in shlex.split(typed.removeprefix(_COMMAND)) for word in _expanded(part, folder)]
    done = command(*words)
    if done.status in (2, 4):
        raise AssertionError(f"{typed}: {done.err}")
    return done.out


def _expanded(word: str, folder: Path) -> list[str]:
    """Return the files that a pattern stands for, as a shell would."""
    return sorted(str(path.relative_to(folder)) for path in folder.glob(word)) if "*" in word else [word]
