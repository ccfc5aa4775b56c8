"""The numbers of a wrong claim beside the right ones: what relation between two matrices names a slip.

`comparison.Comparison` holds both matrices and answers the questions that patterns ask: which entries are wrong, by
which factor two matrices differ, which sizes the problem has.  A pattern is a generator, declared with ``@pattern`` and
the names it may yield: layout, factors and wrong places in `patterns`, right entries in another order in
`order_patterns`, symmetry, masks, bands and missing terms in `formula_patterns`.  Each yields only what it has proven
on all established entries.
"""
