"""Claims: plain values that can be picked out."""

from xcheck.certificates.claims import Claim, Proof, WitnessProof


def made(name: str, claim: Claim) -> WitnessProof:
    """A claim about one witness."""
    return WitnessProof(name=name, claim=claim, error=0.0, allowed=0.0, claimed=1.0, slope=1.0)


def test_witnesses_are_found_by_what_is_claimed() -> None:
    """In their order."""
    proof = Proof(witnesses=(made("a", "right"), made("b", "wrong"), made("c", "right")))
    assert [one.name for one in proof.of(["right"])] == ["a", "c"]
    assert proof.of(["at a kink", "not known"]) == []
