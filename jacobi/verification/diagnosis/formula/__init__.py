"""The formula of a claim: the one change in the user's own line that makes it right.

`source` finds the definition and lists its places, and leaves alone what is uncertain or has effects.  `formula` runs
it once and notes the value at every place.  The generators in `alterations` (what stands there is changed) and
`insertions` (what is missing is put in) propose edits; `edits` builds the function with each, and keeps an edit if the
result equals the established derivative at the point and along random directions at points nearby.
"""
