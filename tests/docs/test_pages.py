"""Every page of the documentation, and the README, show what happens.

After a change that is meant: `python -m tests.docs.test_pages` writes the outputs anew; read the difference.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import jax
import pytest

from tests.commands import Typist
from tests.docs.pages import PAGES, ROOT, blocks_of, outputs, process
from tests.steady import steady

RUN = [page for page in PAGES if any(block.language in ("python", "console") for block in blocks_of(page.read_text()))]
TARGETS = ("demo", "test", "portable", "lint", "bench", "docs", "clean")


def name_of(page: Path) -> str:
    """The page's path in the checkout."""
    return str(page.relative_to(ROOT))


def shows(text: str, printed: str) -> bool:
    """Whether a text is what was printed, or parts of it in order: a line `...` stands for what is left out.

    >>> left_out = chr(10) + "..." + chr(10)
    >>> shows("a", "a b"), shows("a" + left_out, "a b c"), shows("a" + left_out + "c", "a b c")
    (False, True, True)
    >>> shows("c" + left_out + "a", "a b c")
    False
    """
    parts = [re.escape(steady(part)) for part in re.split(r"^\.\.\.$", text, flags=re.MULTILINE)]
    return re.fullmatch(".*".join(parts), steady(printed)) is not None


@pytest.fixture
def precision() -> Iterator[None]:
    """What a page tells JAX about 64 bits ends with the page."""
    before = jax.config.jax_enable_x64
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.usefixtures("precision")
@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_a_page_shows_what_happens(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typist: Typist) -> None:
    """Its code runs, its commands end as they should, and both print what stands below them."""
    monkeypatch.chdir(tmp_path)
    for block, printed in outputs(page.read_text(encoding="utf-8"), tmp_path, typist):
        assert shows(block.text, printed), f"shown:\n{block.text}\nprinted:\n{printed}"


def test_make_knows_the_commands() -> None:
    """What README and CONTRIBUTING name are targets."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in TARGETS:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


def test_the_readme_is_short() -> None:
    """The first page is no book."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130


def test_links_of_the_readme_lead_somewhere() -> None:
    """Files of the checkout, every one of them."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / link).exists(), link


if __name__ == "__main__":
    for page in RUN:
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for block, printed in reversed(list(outputs(text, Path(folder), partial(process, Path(folder))))):
                if not shows(block.text, printed):
                    text = text[: block.start] + printed + text[block.start + len(block.text) :]
        page.write_text(text, encoding="utf-8")
