"""Random streams: one per purpose, and each is drawn from in one place."""

import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

import xcheck
from xcheck.seeds import Stream, generator

PACKAGE = Path(xcheck.__file__).parent
SOURCES = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if "examples" not in path.parts}


def test_streams_differ() -> None:
    """No two purposes share a number, and a further number makes a stream of its own."""
    first = {stream: generator(0, stream).random() for stream in Stream}
    assert all(first[a] != first[b] for a, b in combinations(Stream, 2))
    assert generator(0, Stream.MASKS, 1).random() != generator(0, Stream.MASKS, 2).random()


@pytest.mark.parametrize("stream", Stream, ids=lambda stream: stream.name)
def test_a_stream_is_for_one_purpose(stream: Stream) -> None:
    """The rows of the data and the components of an audit, say, were once drawn from the same numbers."""
    uses = Counter({path.name: len(re.findall(rf"\bStream\.{stream.name}\b", text)) for path, text in SOURCES.items()})
    del uses["seeds.py"]
    assert uses.total() == 1


def test_a_seed_gives_the_same_again() -> None:
    """Everything random comes back with its seed."""
    assert generator(3, Stream.THETA).random() == generator(3, Stream.THETA).random()
    assert generator(3, Stream.THETA).random() != generator(4, Stream.THETA).random()
