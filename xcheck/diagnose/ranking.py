"""Diagnosis: which mistakes explain a wrong gradient, and where in the backward pass it went wrong.

Of all guesses that explain the residual down to the noise, the one is taken that explains most tensors; of equals the
one with fewer fitted numbers, then the more specific rule. What is left is explained in the same way; tensors that no
guess explains have a cause that is unknown, and it is said so.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from xcheck.diagnose.evidence import Evidence, Hypothesis, explains
from xcheck.diagnose.rules import backward_pass as steps
from xcheck.diagnose.rules import factors, penalties
from xcheck.diagnose.rules import masks as recover
from xcheck.diagnose.rules import order as places
from xcheck.diagnose.rules import precision as numbers
from xcheck.findings import CAUSE_UNKNOWN, Finding

Rule = Callable[[Evidence], Iterable[Hypothesis]]

# The more specific first. Those of steps are dear: they run the network once for each guess.
RULES: tuple[Rule, ...] = (
    places.detached,
    numbers.conjugate,
    factors.data_factor,
    factors.constant_factor,
    penalties.penalty,
    places.transposed,
    places.swapped_tensors,
    places.reordered,
    places.missing_part,
    numbers.underflow,
    places.scaled_part,
    numbers.clipped,
)
DEAR: tuple[Rule, ...] = (steps.wrong_steps, recover.redrawn_mask)
# These describe, and would explain almost anything: only what nothing else explains.
LAST: tuple[Rule, ...] = (numbers.rounded, places.few_components)

_MOST_ALTERNATIVES = 2


def diagnosed(evidence: Evidence) -> list[Finding]:
    """Return the causes of a wrong gradient, each explaining some of its tensors; or that they are unknown."""
    open_tensors = {tensor.name for tensor in evidence.suspects}
    found: list[Finding] = []
    guesses: list[Hypothesis] = []
    for stage in (RULES, DEAR, LAST):
        guesses += _merged(guess for rule in stage for guess in rule(evidence) if explains(evidence, guess))
        if stage is RULES and not any(open_tensors <= set(guess.tensors) for guess in guesses):
            continue  # one mistake that explains all may be among the dear ones
        found += _chosen(evidence, guesses, open_tensors)
        if not open_tensors:
            break
    if open_tensors:
        found.append(_unknown(evidence, open_tensors))
    return found


def _merged(guesses: Iterable[Hypothesis]) -> list[Hypothesis]:
    """Join guesses that say the same of several tensors."""
    merged: dict[tuple[str, str, str], Hypothesis] = {}
    for guess in guesses:
        key = (guess.code, guess.text, guess.place)
        known = merged.get(key)
        merged[key] = guess if known is None else replace(known, predicted={**known.predicted, **guess.predicted})
    return list(merged.values())


def _chosen(evidence: Evidence, guesses: Sequence[Hypothesis], open_tensors: set[str]) -> Iterator[Finding]:
    """Yield the best guesses, one after the other, and take what they explain out of what is open."""
    told: dict[str, list[tuple[Hypothesis, str]]] = {}
    while useful := [guess for guess in guesses if open_tensors & set(guess.tensors)]:
        best = min(useful, key=lambda guess: _preference(guess, open_tensors))
        own = open_tensors & set(best.tensors)
        others = [g for g in useful if g.code != best.code and g.free <= best.free + 1 and own <= set(g.tensors)]
        told.setdefault(best.code, []).append((best, _said(evidence, best, own, others)))
        open_tensors -= own
    for code, parts in told.items():
        (first, _), text = parts[0], "; ".join(part for _, part in parts)
        yield Finding(code=code, text=f"{evidence.witness}: {text}", tensor=first.tensors[0], value=first.value)


def _preference(guess: Hypothesis, open_tensors: set[str]) -> tuple[int, int, int]:
    return -len(open_tensors & set(guess.tensors)), guess.free, guess.rank


def _said(evidence: Evidence, guess: Hypothesis, own: set[str], others: Sequence[Hypothesis]) -> str:
    """Say what a guess explains, and what would explain that as well."""
    names = _listed([tensor.name for tensor in evidence.layout if tensor.name in own])
    placed = f"{guess.place}: {guess.text}; this explains {names}"
    text = placed if guess.place else f"{names}: {guess.text}"
    by_code = {other.code: f"{other.code} ({other.text})" for other in reversed(others)}
    also = ", ".join(list(by_code.values())[:_MOST_ALTERNATIVES])
    return f"{text}; equally well: {also}" if also else text


def _unknown(evidence: Evidence, names: set[str]) -> Finding:
    ordered = [tensor.name for tensor in evidence.layout if tensor.name in names]
    text = f"{evidence.witness}: no known mistake explains {_listed(ordered)} down to the noise"
    return Finding(code=CAUSE_UNKNOWN, text=text, tensor=ordered[0])


def _listed(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# --- where it starts ------------------------------------------------------------------------------------------------
