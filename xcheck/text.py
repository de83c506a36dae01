"""How messages show what stands in a file: short, and always on one line."""

from collections.abc import Iterable
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


def shortened(complaints: list[Complaint]) -> list[Complaint]:
    """Return the first complaints, and how many there are beyond them."""
    if len(complaints) <= _MOST:
        return complaints
    first = complaints[0]
    more = Complaint(f"... and {len(complaints) - _MOST} more", key=first.key, file=first.file)
    return [*complaints[:_MOST], more]
