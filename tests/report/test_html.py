"""Reports as HTML: whole pages and fragments for notebooks."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.report.test_text import FAILING, REPORTS
from xcheck.api import train
from xcheck.report.html import fragment, page
from xcheck.report.text import render

VOID = {"meta", "br", "img", "link", "input", "hr"}
NAMES = replace(FAILING, model="<script>alert(1)</script>", losses={"my <b>[red]": 0.5, "[/]": 0.5})


class Reader(HTMLParser):
    """Reads HTML strictly: every element that is opened is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", REPORTS)
def test_a_fragment_says_what_the_terminal_says(name: str) -> None:
    """The same words at the same width, in one element."""
    read = Reader(fragment(REPORTS[name]))
    assert [line.rstrip() for line in read.text.splitlines()] == render(REPORTS[name], width=100).splitlines()
    assert read.tags <= {"pre", "span"}


def test_a_page_is_a_whole_document(tmp_path: Path) -> None:
    """UTF-8, with a title, the headline and the worst component; nothing is returned."""
    FAILING.to_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_bytes().decode("utf-8")
    read = Reader(text)
    assert text.startswith("<!DOCTYPE html>")
    assert ("charset", "utf-8") in read.attributes
    assert f"<title>DISAGREE breast_cancer.toml: {FAILING.headline}</title>" in text
    assert re.search(r"W1\[3, 0\] +1\.0673 +0\.71153333", read.text)
    assert "J(θ)" in read.text


def test_a_page_shows_the_details() -> None:
    """Layers, tensors and times, as with -v."""
    assert "layers at θ" in page(FAILING)
    assert "layers at θ" not in fragment(FAILING)


def test_names_are_escaped() -> None:
    """What people call their files and functions is text, for the browser and for the terminal's markup."""
    read = Reader(page(NAMES))
    assert not read.tags & {"script", "b"}
    assert "<script>alert(1)</script>" in read.text
    assert "my <b>[red]" in read.text


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_is_loaded_from_elsewhere(name: str) -> None:
    """No link, image, script or style sheet of another place."""
    text = page(REPORTS[name])
    assert not Reader(text).tags & {"script", "link", "img", "iframe", "style"}
    assert not re.search(r"https?:|//|url\(|@import", text.replace("<!DOCTYPE html>", ""))


def test_plain_text_keeps_the_readers_colours() -> None:
    """No colour is black, white or a background: all are readable in the light and in the dark."""
    colours = set(re.findall(r"(?<!-)color: #(\w{6})", page(FAILING)))
    assert colours
    assert "background" not in page(FAILING)
    for colour in colours:
        red, green, blue = (_linear(int(colour[place : place + 2], 16)) for place in (0, 2, 4))
        luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        assert 1.05 / (luminance + 0.05) > 4.5  # on white
        assert (luminance + 0.05) / (_linear(0x12) + 0.05) > 3.5  # on #121212, a browser's dark


def test_a_training_is_a_page_with_its_curves(tmp_path: Path) -> None:
    """The words of the terminal, the losses and how far trajectories part as pictures; nothing from elsewhere."""
    definition = {
        "data": {"synthetic": {"inputs": 3, "examples": 30}},
        "network": {"layers": [{"units": 3, "activation": "tanh"}, {"units": 1}], "loss": "mean_squared_error"},
        "training": {"steps": 5, "learning_rate": 0.1},
    }
    report = train(definition, backends=["numpy", "torch"])
    report.to_html(tmp_path / "training.html")
    text = (tmp_path / "training.html").read_text(encoding="utf-8")
    read = Reader(text)
    assert f"<title>AGREE definition: {report.headline}</title>" in text
    assert "2 checkpoints (step 0, 5)" in read.text
    assert text.count("<svg ") == 2
    assert {"training", "validation", "J", "torch", "rounding"} <= set(read.text.split())
    assert "t training, v validation" not in read.text
    assert not read.tags & {"script", "link", "img", "iframe", "style"}
    assert not re.search(r"https?:|//|url\(|@import", text.replace("<!DOCTYPE html>", ""))
    assert report._repr_html_() in text


def _linear(channel: int) -> float:
    """A channel of sRGB as light, after WCAG."""
    share = channel / 255
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)


def test_notebooks_show_the_fragment() -> None:
    """IPython asks for _repr_html_."""
    assert FAILING._repr_html_() == fragment(FAILING)


def test_in_a_notebook_nothing_is_displayed_by_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rich would display by itself, text and HTML are what they are elsewhere."""
    text, html = str(FAILING), fragment(FAILING)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert (str(FAILING), fragment(FAILING)) == (text, html)
