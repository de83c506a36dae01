"""Every kind of result in every form: the table of renderers, walked row by row."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.report.test_accuracy import accuracy
from tests.report.test_component import explanation
from tests.report.test_html import Reader
from tests.report.test_selftest import self_test
from tests.report.test_text import FAILING
from xcheck.api import train
from xcheck.checks.result import RENDERERS, Form, Kind, Result, renderer

DEFINITION = {
    "data": {"synthetic": {"inputs": 3, "examples": 30}},
    "network": {"layers": [{"units": 1}], "loss": "mean_squared_error"},
    "training": {"steps": 2, "learning_rate": 0.1},
}
KINDS: list[Any] = list(RENDERERS["text"])


@pytest.fixture(scope="module")
def results() -> dict[Kind, Result]:
    """One result of each kind."""
    return {
        "check": FAILING,
        "training": train(DEFINITION, backends=["numpy"]),
        "component": explanation(),
        "selftest": self_test(),
        "accuracy": accuracy(),
    }


def unrendered(kinds: set[str]) -> set[tuple[str, str]]:
    """The forms and kinds for which the table names no function that can be imported and called."""
    missing: set[tuple[str, str]] = set()
    for form in RENDERERS:
        for kind in kinds:
            try:
                known = callable(renderer(kind, form))  # type: ignore[arg-type]  # kinds that do not exist are tried, too
            except (KeyError, ImportError, AttributeError):
                known = False
            missing |= set() if known else {(form, kind)}
    return missing


def test_every_kind_is_rendered_in_every_form(results: dict[Kind, Result]) -> None:
    """The kinds are those that classes declare, and each of them is tried below."""
    declared: set[str] = {result.kind for result in Result.__subclasses__()}
    assert declared == set(results) == set(KINDS)
    assert unrendered(declared) == set()


def test_a_new_kind_without_a_renderer_is_noticed() -> None:
    """In every form."""
    assert unrendered({"check", "product"}) == {(form, "product") for form in RENDERERS}


def test_a_row_that_names_no_function_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module or a function that was renamed."""
    monkeypatch.setitem(RENDERERS["text"], "check", "xcheck.report.text:rendered")
    monkeypatch.setitem(RENDERERS["json"], "training", "xcheck.report.trained:as_dict")
    assert unrendered(set(KINDS)) == {("text", "check"), ("json", "training")}


@pytest.mark.parametrize("kind", KINDS)
def test_text(kind: Kind, results: dict[Kind, Result]) -> None:
    """Verdict, model and headline first, and nothing wider than the page but commands to be copied."""
    result = results[kind]
    words = " ".join(str(result).split())
    assert f"{result.model}" in words
    assert " ".join(result.headline.split()) in words
    for width in (40, 80):
        lines = renderer(kind, "text")(result, width=width).splitlines()
        assert all(len(line) <= width for line in lines if not line.startswith(("  again:", "  next:")))


@pytest.mark.parametrize("kind", KINDS)
def test_json(kind: Kind, results: dict[Kind, Result]) -> None:
    """One line that a strict reader accepts, with what all kinds have."""
    result = results[kind]
    text = result.to_json()
    assert "\n" not in text
    content = json.loads(text, parse_constant=pytest.fail)
    assert content == json.loads(json.dumps(result.to_dict()))
    assert (content["schema"], content["model"], content["headline"]) == (1, result.model, result.headline)
    assert (content["verdict"], content["exit"]) == (str(result.verdict), result.verdict.exit_status)


@pytest.mark.parametrize("kind", KINDS)
def test_html(kind: Kind, results: dict[Kind, Result], tmp_path: Path) -> None:
    """A whole document whose title stands alone, with the words of the text."""
    result = results[kind]
    result.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    read = Reader(text)
    assert text.startswith("<!DOCTYPE html>")
    assert f"{result.verdict} {result.model}: {result.headline}" in read.text
    assert {"html", "head", "title", "body", "pre"} <= read.tags


@pytest.mark.parametrize("kind", KINDS)
def test_fragment(kind: Kind, results: dict[Kind, Result]) -> None:
    """One element for notebooks, which shows the words of the text."""
    result = results[kind]
    fragment = result._repr_html_()
    read = Reader(fragment)
    assert not read.tags & {"html", "head", "body", "title"}
    assert result.headline in " ".join(read.text.split())


@pytest.mark.parametrize("kind", ["check", "component", "selftest", "accuracy"])
def test_a_fragment_says_what_the_text_says(kind: Kind, results: dict[Kind, Result]) -> None:
    """The same words in the same lines; only a training has pictures in place of its curves in plain characters."""
    result = results[kind]
    shown = [line.rstrip() for line in Reader(result._repr_html_()).text.splitlines()]
    assert shown == renderer(kind, "text")(result, width=100).splitlines()


@pytest.mark.parametrize("kind", ["component", "selftest", "accuracy"])
def test_a_page_is_its_fragment_in_a_document(kind: Kind, results: dict[Kind, Result], tmp_path: Path) -> None:
    """What a notebook shows stands in the file as well, and both say how to repeat the run."""
    result = results[kind]
    result.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert result._repr_html_() in text
    assert "again: python -m xcheck" in Reader(text).text


def test_a_form_and_a_kind_are_what_the_types_say() -> None:
    """The table has a row for each form that `renderer` accepts, and no other."""
    assert set(RENDERERS) == set(get_args(Form))
    assert set(KINDS) == set(get_args(Kind))
