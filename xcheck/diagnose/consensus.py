"""Consensus: which witnesses agree, in units of the error bars, and what that says about the one that is wrong.

It is no vote: the oracle decides. Two witnesses that agree with each other and not with the oracle share a mistake, as
long as a third agrees with it. Only when all of several witnesses agree with each other and not with the oracle may the
oracle be wrong as well.
"""

from collections.abc import Sequence

import numpy as np

from xcheck.compare.pair import ORACLE, Pair
from xcheck.findings import ALL_AGAINST_ORACLE, ALL_DIFFER, SHARED_FAULT, Finding
from xcheck.oracle import Estimate
from xcheck.text import join_names
from xcheck.verdict import Verdict

# An error bar wider than this part of the value hides small mistakes: ten times the default tolerance of 1e-7. A guess,
# chosen so that an oracle of ordinary precision (1e-9 and less) is not suspected.
_IMPRECISE = 1e-6
# Relative bars of values that are zero: small enough to call every such bar wide.
_TINY = 1e-300


def odd_one_out(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Return the names that stand alone: witnesses that disagree with the oracle while another agrees with it.

    The oracle decides, not a vote: the same mistake in two witnesses of three makes both of them odd. Only when at
    least two witnesses agree with each other and not with the oracle, and no other agrees with it, is the oracle odd.
    """
    disagrees = {pair.a: pair.verdict is Verdict.DISAGREE for pair in pairs if pair.b == ORACLE}
    among = [pair for pair in pairs if pair.b != ORACLE]
    # A witness alone against the oracle is wrong, and odd beside nobody.
    if disagrees and all(disagrees.values()):
        finite = all(np.isfinite(pair.difference) for pair in pairs)
        united = bool(among) and finite and all(pair.verdict is Verdict.AGREE for pair in among)
        return (ORACLE,) if united else ()
    return tuple(name for name, wrong in disagrees.items() if wrong)


def group_witnesses(pairs: Sequence[Pair]) -> list[tuple[str, ...]]:
    """Return the witnesses in groups that agree among themselves, the largest group first."""
    names = [pair.a for pair in pairs if pair.b == ORACLE]
    apart = {frozenset((p.a, p.b)) for p in pairs if p.b != ORACLE and p.verdict is not Verdict.AGREE}
    # Two gradients of nan are equal to the comparer, and have no mistake in common.
    alone = {pair.a for pair in pairs if pair.b == ORACLE and not np.isfinite(pair.difference)}
    groups: list[list[str]] = []
    # Greedy: agreement to a tolerance is not transitive, and the first group that a witness fits in will do.
    for name in names:
        fitting = (g for g in groups if not any(frozenset((name, other)) in apart for other in g))
        group = next((g for g in fitting if name not in alone and not alone & set(g)), None)
        if group is None:
            groups.append([name])
        else:
            group.append(name)
    return sorted((tuple(group) for group in groups), key=len, reverse=True)


def group_losses(pairs: Sequence[Pair], differenced: str) -> list[tuple[str, ...]]:
    """Return the witnesses in groups that compute the same loss, the largest group first.

    Of groups of one size that of the witness whose loss the oracle differences comes first.
    """
    names = [pair.a for pair in pairs if pair.b == ORACLE]
    apart = {frozenset((pair.a, pair.b)) for pair in pairs if pair.b != ORACLE and not pair.losses_agree}
    groups: list[list[str]] = []
    for name in names:
        # Greedy, as below.
        group = next((g for g in groups if not any(frozenset((name, other)) in apart for other in g)), None)
        if group is None:
            groups.append([name])
        else:
            group.append(name)
    return sorted((tuple(group) for group in groups), key=lambda group: (-len(group), differenced not in group))


def consensus(pairs: Sequence[Pair], *, differenced: str = "") -> str:
    """Return one sentence on which witnesses are wrong, and by how many error bars; empty where none is.

    Args:
        pairs: what was compared.
        differenced: the witness whose own loss the oracle differences, if it is one's: it decides nothing where losses
            differ.
    """
    groups = group_losses(pairs, differenced) if differenced else []
    if len(groups) > 1:
        verb = "computes" if len(groups[0]) == 1 else "compute"
        others = ", ".join(f"{join_names(group)} another" for group in groups[1:])
        return f"{join_names(groups[0])} {verb} one loss, {others}"
    against = {pair.a: pair for pair in pairs if pair.b == ORACLE}
    wrong = {name: pair for name, pair in against.items() if pair.verdict is Verdict.DISAGREE}
    if not wrong:
        return ""
    right = [name for name, pair in against.items() if pair.verdict is Verdict.AGREE]
    odd = ", ".join(f"{name}, {_how_far(pair)}" for name, pair in wrong.items())
    if not right:
        return odd
    nearest = max(against[name].apart for name in right)
    agree = "agrees" if len(right) == 1 else "agree"
    return f"{odd}; {join_names(right)} {agree} with the oracle, within {nearest:.1g} error bars"


def _how_far(pair: Pair) -> str:
    if not pair.wrong:
        # Distances within the bars say nothing against a witness: something else made it wrong.
        return "which is wrong when asked again in float64" if pair.losses_agree else "which computes another loss"
    return f"{pair.apart:.1g} error bars off" if np.isfinite(pair.apart) else "which is not finite"


def consensus_findings(pairs: Sequence[Pair], estimate: Estimate, *, differenced: str = "") -> list[Finding]:
    """Return what the wrong witnesses have in common, where that says more than that one of them is wrong.

    Args:
        pairs: what was compared.
        estimate: the oracle's gradient.
        differenced: the witness whose own loss the oracle differences, if it is one's: who computes another loss has a
            gradient of that one, and no mistake in common with anybody.
    """
    if differenced:
        apart = {pair.a for pair in pairs if pair.b == ORACLE and not pair.losses_agree}
        pairs = [pair for pair in pairs if not {pair.a, pair.b} & apart]
    wrong = [pair.a for pair in pairs if pair.b == ORACLE and pair.verdict is Verdict.DISAGREE]
    against = [pair.a for pair in pairs if pair.b == ORACLE]
    # One that is wrong has nothing in common with anybody, and its causes are findings of their own.
    if len(wrong) < 2:
        return []
    groups = [group for group in group_witnesses(pairs) if set(group) <= set(wrong)]
    together = [group for group in groups if len(group) > 1]
    if len(together) == 1 and len(together[0]) == len(against):
        text = f"all witnesses agree with each other and not with the oracle: {_why_all_differ(pairs, estimate)}"
        return [Finding(code=ALL_AGAINST_ORACLE, text=text)]
    if together:
        return [_shared_fault(group, [name for name in against if name not in wrong]) for group in together]
    if len(wrong) == len(against):
        text = f"no two of {', '.join(wrong)} agree with each other, and none agrees with the oracle"
        return [Finding(code=ALL_DIFFER, text=text, value=float(len(wrong)))]
    return []


def _shared_fault(group: Sequence[str], right: Sequence[str]) -> Finding:
    others = f", with which {join_names(right)} {'agrees' if len(right) == 1 else 'agree'}" if right else ""
    text = (
        f"{join_names(group)} make the same mistake: they agree with each other, and not with the oracle{others}; a "
        "vote among the witnesses would have been wrong"
    )
    return Finding(code=SHARED_FAULT, text=text, value=float(len(group)))


def _why_all_differ(pairs: Sequence[Pair], estimate: Estimate) -> str:
    """Return why all may differ from the oracle: another function, a kink, its precision, or the same mistake."""
    if not all(pair.losses_agree for pair in pairs if pair.b == ORACLE):
        return "they compute the same loss, which is not the oracle's: it is not the same function"
    if estimate.ties:
        kinks = f"{estimate.ties} kink{'s' * (estimate.ties > 1)}"
        return f"θ sits on {kinks}: look there first, then for the same mistake in all of them"
    wide = estimate.error_bar > _IMPRECISE * np.maximum(np.abs(estimate.value), _TINY)
    if wide.mean() > 0.5:
        return (
            "but the oracle is not precise enough to blame all of them: in "
            f"{wide.mean():.0%} of the components its error bar is wider than 1e-6 of the value"
        )
    return "all of them make the same mistake, or the oracle makes one"
