"""The derivation of a claim: the function is differentiated again with one slip, until the claim comes out.

`network` is the traced function as edges with local Jacobians, `edge` one of them; `recognised` adds functions that
were written out, such as a sigmoid.  The table in `faults` lists the wrong local Jacobians that people write,
`variants` the operations that are taken for others, and `replays` puts these into the function, its value or one
derivative.  `derivations` runs through all of them and keeps those whose Jacobian equals the claim.
"""
