"""Errors and complaints."""

from xcheck.errors import BackendError, Complaint, DefinitionError, DeviceError, XcheckError, quote


def test_a_complaint_gives_file_line_column_key_and_text() -> None:
    """A complaint reads like a compiler's message."""
    complaint = Complaint("unknown key", ("network", "layers", 0, "unit"), "model.toml", 7, 3)
    assert str(complaint) == "model.toml:7:3: network.layers[0].unit: unknown key"


def test_a_complaint_leaves_out_what_it_does_not_know() -> None:
    """Without a place there is only the key; without a key only the text."""
    assert str(Complaint("missing", ("data",))) == "data: missing"
    assert str(Complaint("no such file", file="model.toml")) == "model.toml: no such file"


def test_a_definition_error_shows_all_complaints() -> None:
    """One line for each mistake."""
    assert str(DefinitionError([Complaint("a"), Complaint("b")])) == "a\nb"


def test_every_error_is_an_xcheck_error() -> None:
    """One base class catches everything."""
    errors: list[XcheckError] = [DefinitionError(()), DeviceError(()), BackendError("torch", "broken")]
    assert [str(error) for error in errors] == ["", "", "torch: broken"]


def test_an_exception_without_words_says_so() -> None:
    """Its type and a colon looked like a sentence cut short; one that cannot say anything is quoted, too."""

    class SpeechlessError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert quote(ValueError("too long")) == "ValueError: too long"
    assert quote(AssertionError()) == "AssertionError without a message"
    assert quote(SpeechlessError()) == "SpeechlessError without a message"
