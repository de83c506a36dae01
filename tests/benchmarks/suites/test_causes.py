"""How mistakes in layers are scored."""

import pytest

from benchmarks.suites import causes
from tests.diagnose.layers.layer import Layer
from tests.diagnose.layers.lookup import EMBEDDING, LOGITS
from tests.diagnose.layers.norms import BATCH


@pytest.mark.parametrize(
    ("found", "score"),
    [
        ({"XC201"}, "right"),
        ({"XC201", "XC200"}, "right"),
        ({"XC201", "XC233"}, "right"),
        ({"XC233"}, "place"),
        ({"XC200", "XC233"}, "place"),
        ({"XC200"}, "unknown"),
        ({"XC201", "XC251"}, "wrong"),
        ({"XC251", "XC233"}, "wrong"),
        (set(), "missed"),
    ],
)
def test_a_place_is_no_cause_and_no_wrong_one(found: set[str], score: str) -> None:
    """What names the mistake counts, whatever else is described; another cause is wrong, whatever else is right."""
    assert causes.judged(found, {"XC201"}) == score


def test_the_mistakes_of_a_layer_are_scored_in_one_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row for each, and the sum."""
    monkeypatch.setattr(causes, "LAYERS", (LOGITS,))
    scores = list(causes.in_layers(1))
    assert [score.name for score in scores] == [f"{LOGITS.name}: {mistake}" for mistake in LOGITS.mistakes]
    by_name = {score.name.split(": ")[1]: score.counts for score in scores}
    assert by_name["1/n missing"] == by_name["last example missing"] == {"right": 1}
    assert causes.rows(scores)[-1][0] == "all"


@pytest.mark.parametrize("layer", [BATCH, EMBEDDING], ids=["batch norm", "embedding"])
def test_no_mistake_of_a_layer_is_given_another_cause(layer: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most are named; of the others it is said where they are, or nothing."""
    monkeypatch.setattr(causes, "LAYERS", (layer,))
    scores = [score for score in causes.in_layers(1) if not score.counts["n/a"]]
    assert not [score.name for score in scores if score.counts["wrong"] or score.counts["missed"]]
    # Of the embedding, with the fewest, eight of eleven: for ids that repeat there is no rule.
    assert sum(score.counts["right"] for score in scores) >= 0.7 * len(scores)
