"""Helpers of wording: how messages quote words, list them, propose others and compare two numbers, on one line each."""

import math
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import islice

from xcheck.errors import Complaint

_LONGEST = 40  # characters of a cell or a word
_MOST_WORDS = 8
_MOST = 10  # complaints per file: the eleventh bad cell says nothing new


def quoted(word: str) -> str:
    r"""Return the word in quotes, cut where it is long, its control characters escaped.

    >>> print(quoted("cat"), quoted("two\nlines"))
    'cat' 'two\nlines'
    """
    return repr(word if len(word) <= _LONGEST else word[: _LONGEST - 3] + "...")


def listed(words: Iterable[str]) -> str:
    """Return the first words in quotes.

    >>> listed("abcdefghij")
    "'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', ..."
    """
    shown = list(islice(words, _MOST_WORDS + 1))
    return ", ".join([quoted(word) for word in shown[:_MOST_WORDS]] + ["..."] * (len(shown) > _MOST_WORDS))


def joined(things: Sequence[object], most: int) -> str:
    """Return the first things, and how many there are beyond them.

    >>> joined(["W1", "b1"], 8), joined(range(100), 4)
    ('W1, b1', '0, 1, 2, 3 and 96 more')
    """
    shown = ", ".join(str(thing) for thing in things[:most])
    return shown if len(things) <= most else f"{shown} and {len(things) - most} more"


def shortened(complaints: list[Complaint]) -> list[Complaint]:
    """Return the first complaints, and how many there are beyond them."""
    if len(complaints) <= _MOST:
        return complaints
    first = complaints[0]
    more = Complaint(f"... and {len(complaints) - _MOST} more", key=first.key, file=first.file)
    return [*complaints[:_MOST], more]


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the closest known word, else "; known: x, y".

    >>> did_you_mean("activaton", ["units", "activation"])
    "; did you mean 'activation'?"
    >>> did_you_mean("colour", ["units", "activation"])
    '; known: units, activation'
    """
    known = list(known)
    close = get_close_matches(str(word).lower(), known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"


def ratio(a: float, b: float) -> str:
    """Say what `a` is in terms of `b`: "1.5 x", or both values where a ratio says nothing.

    >>> ratio(1.5, 1.0), ratio(2e-3, 6e-3), ratio(1.000000999996, 1.0)
    ('1.5 x', '0.3333 x', '1.000001 x')
    >>> ratio(float("nan"), 1.0), ratio(0.25, 0.0)
    ('nan, not 1 as', '0.25, not 0 as')
    """
    quotient = a / b if b else math.nan
    if not 1e-6 < abs(quotient) < 1e6:
        return f"{a + 0.0:.6g}, not {b + 0.0:.6g} as"  # + 0.0: no "-0"
    # Three digits of how far it is from 1.
    off = min(1.0, abs(quotient - 1))
    digits = 3 - math.floor(math.log10(off)) if off > 1e-12 else 15
    return f"{quotient:.{digits}g} x"


def interval(lower: float, upper: float, error_bar: float) -> str:
    """Return an interval of slopes; an end that is zero to its error bar is written as 0.

    >>> interval(7.7e-14, 1.0, 4e-12), interval(-0.44757, 6.5e-15, 1e-12)
    ('[0, 1]', '[-0.44757, 0]')
    """
    ends = (0.0 if abs(end) <= error_bar else end for end in (lower, upper))
    return f"[{', '.join(f'{end:.5g}' for end in ends)}]"


def join_names(names: Sequence[str]) -> str:
    """Return all of the names as a part of a sentence.

    >>> join_names(["numpy"]), join_names(["numpy", "torch", "jax"])
    ('numpy', 'numpy, torch and jax')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
