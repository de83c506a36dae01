"""Rules: each proposes hypotheses on why a gradient is wrong."""
