"""Consensus: who agrees with whom, in units of the error bars, and what that says about who is odd.

It is no vote: the oracle decides. Two witnesses that agree with each other and not with the oracle share a mistake, as
long as a third agrees with it; only when all of several stand together against it is the oracle on trial as well.
"""

from collections.abc import Sequence

import numpy as np

from xcheck.compare.pair import ORACLE, Pair
from xcheck.findings import ALL_AGAINST_ORACLE, ALL_DIFFER, SHARED_FAULT, Finding
from xcheck.oracle import Estimate
from xcheck.verdict import Verdict


def odd_one_out(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Return who stands alone: the witnesses that disagree with the oracle while another agrees with it.

    The oracle decides, not a vote: the same bug in two witnesses of three makes both of them odd. Only when all of at
    least two witnesses agree with each other and not with the oracle is it the oracle that is odd.
    """
    against = {pair.a: pair.verdict is Verdict.DISAGREE for pair in pairs if pair.b == ORACLE}
    among = [pair for pair in pairs if pair.b != ORACLE]
    if against and all(against.values()):
        finite = all(np.isfinite(pair.difference) for pair in pairs)
        united = bool(among) and finite and all(pair.verdict is Verdict.AGREE for pair in among)
        return (ORACLE,) if united else ()
    return tuple(name for name, disagrees in against.items() if disagrees)


def groups_of(pairs: Sequence[Pair]) -> list[tuple[str, ...]]:
    """Return the witnesses in groups that agree among themselves, the largest group first."""
    names = [pair.a for pair in pairs if pair.b == ORACLE]
    apart = {frozenset((p.a, p.b)) for p in pairs if p.b != ORACLE and p.verdict is not Verdict.AGREE}
    # Two that are not finite agree in nothing.
    alone = {pair.a for pair in pairs if pair.b == ORACLE and not np.isfinite(pair.difference)}
    groups: list[list[str]] = []
    for name in names:
        fits = (g for g in groups if not any(frozenset((name, other)) in apart for other in g))
        fitting = next((g for g in fits if name not in alone and not alone & set(g)), None)
        if fitting is None:
            groups.append([name])
        else:
            fitting.append(name)
    return sorted((tuple(group) for group in groups), key=len, reverse=True)


def consensus(pairs: Sequence[Pair]) -> str:
    """Say in one sentence who stands where, and how far apart, in units of the bars; nothing where all agree."""
    against = {pair.a: pair for pair in pairs if pair.b == ORACLE}
    wrong = {name: pair for name, pair in against.items() if pair.verdict is Verdict.DISAGREE}
    if not wrong:
        return ""
    right = [name for name, pair in against.items() if pair.verdict is Verdict.AGREE]
    odd = ", ".join(f"{name}, {_bars(pair)}" for name, pair in wrong.items())
    if not right:
        return odd
    nearest = max(against[name].apart for name in right)
    agree = "agrees" if len(right) == 1 else "agree"
    return f"{odd}; {' and '.join(right)} {agree} with the oracle, to {nearest:.1g} of the bars"


def _bars(pair: Pair) -> str:
    if not pair.losses_agree and not pair.wrong:
        return "which computes another loss"
    return f"{pair.apart:.1g} bars off" if np.isfinite(pair.apart) else "which is not finite"


def consensus_findings(pairs: Sequence[Pair], estimate: Estimate) -> list[Finding]:
    """Return what the witnesses have in common, where that says more than that one of them is wrong."""
    wrong = [pair.a for pair in pairs if pair.b == ORACLE and pair.verdict is Verdict.DISAGREE]
    against = [pair.a for pair in pairs if pair.b == ORACLE]
    if len(wrong) < 2:
        return []
    groups = [group for group in groups_of(pairs) if set(group) <= set(wrong)]
    together = [group for group in groups if len(group) > 1]
    if len(together) == 1 and len(together[0]) == len(against):
        text = f"all witnesses agree with each other and not with the oracle: {_oracle_is_odd(pairs, estimate)}"
        return [Finding(code=ALL_AGAINST_ORACLE, text=text)]
    if together:
        return [_shared(group, against, wrong) for group in together]
    if len(wrong) == len(against):
        text = f"all differ: no two of {', '.join(wrong)} agree with each other, nor any with the oracle"
        return [Finding(code=ALL_DIFFER, text=text, value=float(len(wrong)))]
    return []


def _shared(group: Sequence[str], against: Sequence[str], wrong: Sequence[str]) -> Finding:
    right = [name for name in against if name not in wrong]
    witness = f", and {' and '.join(right)} with it" if right else ""
    text = (
        f"{' and '.join(group)} share a fault: they agree with each other, and the oracle sees it{witness}; "
        "a vote among the witnesses would have been wrong"
    )
    return Finding(code=SHARED_FAULT, text=text, value=float(len(group)))


def _oracle_is_odd(pairs: Sequence[Pair], estimate: Estimate) -> str:
    """Say why the oracle may be the odd one: not the same function, a kink, its precision; else a common mistake."""
    mine = [pair for pair in pairs if pair.b == ORACLE]
    if not all(pair.losses_agree for pair in mine):
        return "they compute the same loss, which is not the oracle's: not the same function"
    if estimate.ties:
        return f"θ sits on {estimate.ties} kinks: look there first, then for the same mistake in all"
    wide = estimate.error_bar > 1e-6 * np.maximum(np.abs(estimate.value), 1e-300)
    if wide.mean() > 0.5:
        return f"the oracle is hardly precise here ({wide.mean():.0%} of its bars are wider than 1e-6 of the value)"
    return "the same mistake in all, or in the oracle"
