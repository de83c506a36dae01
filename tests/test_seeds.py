"""Random streams: one per purpose, and each is drawn from in one place."""

import ast
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
    uses = Counter({path: len(re.findall(rf"\bStream\.{stream.name}\b", text)) for path, text in SOURCES.items()})
    del uses[PACKAGE / "seeds.py"]
    assert uses.total() == 1


def generators_in(text: str) -> list[str]:
    """What a module calls that makes random numbers of a seed of its own; examples in docstrings are no calls."""
    made = re.compile(r"default_rng|RandomState|\brandom\.(seed|key|PRNGKey)|manual_seed")
    calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [call for call in calls if made.search(call)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_drawn_outside_the_streams(path: Path) -> None:
    """Generators seeded with the number of parameters alone, say, were once the same for three purposes."""
    # Numbers of scenarios are names: they draw the same problem in every version.
    allowed = {PACKAGE / "seeds.py": 1, PACKAGE / "testing" / "scenarios.py": 3}
    assert len(generators_in(SOURCES[path])) == allowed.get(path, 0)


def test_how_generators_are_recognised() -> None:
    """By NumPy's, JAX's and PyTorch's names; a method that draws is none."""
    made = "np.random.default_rng(0)", "jax.random.key(0)", "torch.manual_seed(0)", "np.random.seed(0)"
    assert [generators_in(call) for call in made] == [[call.partition("(")[0]] for call in made]
    assert generators_in("generator(seed, Stream.THETA).random(3)") == []


def test_a_seed_gives_the_same_again() -> None:
    """Everything random comes back with its seed."""
    assert generator(3, Stream.THETA).random() == generator(3, Stream.THETA).random()
    assert generator(3, Stream.THETA).random() != generator(4, Stream.THETA).random()
