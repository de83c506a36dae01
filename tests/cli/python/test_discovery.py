"""The cases that a file or module has, and what is said where it has none."""

from tests.cli.python.models import WRITE, Write, names, refused


def test_cases_come_in_the_order_of_definition(write: Write) -> None:
    """Objects and marked functions alike; what is not marked is left alone."""
    write("""
    second = _case()

    @xcheck.case
    def first():
        return _case()

    def helper():
        raise AssertionError

    third = second
    """)
    assert names("model.py") == ["model.py::second", "model.py::first"]
    assert names("model.py::first") == ["model.py::first"]
    assert names("model.py::third") == ["model.py::third"]


def test_a_file_that_offers_nothing(write: Write) -> None:
    """What to write, and which functions could be meant."""
    write("from textwrap import dedent")
    functions = "its functions are cube (line 5), slope (line 8)"
    assert refused("model.py") == f"model.py: has no case to check; {WRITE}\n{functions}"
    write("", cube=False)
    assert refused("model.py") == f"model.py: has no case to check; {WRITE}"


def test_a_name_that_is_not_there(write: Write) -> None:
    """The closest one, and all there are; a function that is not marked is told how."""
    write("mine = _case()\nother = _case()")
    assert refused("model.py::mien") == "model.py: there is no case mien; did you mean mine? (cases: mine, other)"
    assert refused("model.py::x") == "model.py: there is no case x (cases: mine, other)"
    assert refused("model.py::slope") == f"model.py:8: slope is a function and no case; {WRITE}"


def test_a_function_that_raises(write: Write) -> None:
    """All of them are said, each at its line."""
    write("""
    @xcheck.case
    def one():
        return 1 / 0

    @xcheck.case
    def two(x):
        return _case()
    """)
    said = refused("model.py").splitlines()
    assert said[0] == "model.py:16: one raises"
    assert said[2].endswith(", line 16, in one")
    assert "ZeroDivisionError: division by zero" in said
    assert "model.py:19: two raises" in said
    assert said[-1] == "TypeError: two() missing 1 required positional argument: 'x'"


def test_a_function_that_returns_no_case(write: Write) -> None:
    """What came instead."""
    write("""
    @xcheck.case
    def mine():
        _case()
    """)
    assert refused("model.py") == f"model.py:15: mine returns None, not an xcheck.Case; {WRITE}"


def test_two_cases_of_one_name(write: Write) -> None:
    """Python keeps the last one, so the first would silently not be checked."""
    write("""
    from xcheck import case

    mine = xcheck.Case(cube, np.ones(2))

    @case
    def mine():
        return _case()
    """)
    said = "model.py:19: 2 cases are called mine, at lines 16, 19: only the last would be checked"
    assert refused("model.py") == said
