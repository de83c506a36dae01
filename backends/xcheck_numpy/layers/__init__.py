"""Networks of any layers in NumPy: one small pair of functions per operation, forward and backward, by hand.

Δ stands for ∂(Σₑ Lₑ)/∂y, what arrives at an operation from above; the backward half returns ∂/∂x, which is handed down,
and ∂/∂ of the operation's own tensors, summed over the examples. The mean over the examples is taken once, at the end.
"""
