"""The names of slips: one stable identifier and one sentence each; reports are matched on them."""

from __future__ import annotations

from typing import NamedTuple

SLIPS = {
    "transposed": "transposed: this is the other layout (denominator instead of numerator)",
    "column_for_row": "a column where numerator layout wants a row (gradient instead of Jacobian)",
    "flattened": "the numbers are right, but flattened or shaped otherwise",
    "diagonal_as_vector": "only the diagonal is given, as a vector: wrap it in diag(..)",
    "off_diagonal_dropped": "the diagonal is right, every off-diagonal entry is missing",
    "summed_over_outputs": "summed over the outputs: this is the gradient of sum(f), one row instead of the Jacobian",
    "sign_flip": "the sign is wrong everywhere",
    "factor_two_missing": "half of the right value: a factor 2 is missing",
    "factor_two_extra": "twice the right value",
    "one_over_n_missing": "too large by a size of the problem: 1/N (mean) is missing",
    "one_over_n_extra": "too small by a size of the problem: a sum was treated as a mean",
    "scaled": "off by one constant factor",
    "scaled_slightly": "off by a constant factor close to 1",
    "noise": "no formula error: the difference looks like rounding or finite-difference noise",
    "rolled": "the right entries, shifted cyclically",
    "wrong_entry": "a single entry is wrong",
    "wrong_row": "one row (one output) is wrong, the others are right",
    "wrong_column": "one column (one input) is wrong, the others are right",
    "swapped_rows": "rows (outputs) are swapped",
    "vec_order": "row-major and column-major flattening are mixed up",
    "symmetric_convention": "the convention for symmetric arguments (tied entries) was used: G + G^T - diag(G)",
    "symmetrised": "symmetrised: (G + G^T)/2",
    "triangle_only": "only one triangle is filled in",
    "zero": "identically zero",
    "term_dropped": "one term of the sum is missing",
    "term_sign": "one term has the wrong sign",
    "factor_dropped": "one factor of the chain rule (an inner derivative) is missing",
    "coefficient": "one coefficient is wrong",
    "exponent": "one exponent is off",
    "missing_transpose": "a transpose is missing inside the formula",
    "extra_transpose": "a transpose too many inside the formula",
    "elementwise_for_matmul": "* where @ belongs (elementwise instead of matrix product)",
    "matmul_for_elementwise": "@ where * belongs (matrix product instead of elementwise)",
    "wrong_order": "two matrix factors are in the wrong order",
    "kron_order": "the Kronecker factors are in the wrong order (vec convention)",
    "wrong_argument": "another variable of the same shape belongs there",
    "mask_missing": "the activation mask is missing: inactive units contribute",
    "mask_inverted": "the activation mask is inverted",
    "mask_outside_sum": "one mask decision for all samples: the case distinction belongs inside the sum",
    "wrong_function": "another elementary function belongs there",
    "inverse_missing": "a matrix inverse is missing",
    "axis": "summed over the wrong axis",
    "sum_for_mean": "sum and mean are confused",
    "wrong_index": "an index or sample number is wrong",
    # names that the list above lacks
    "wrong_rows": "some rows (outputs) are wrong, the others are right",
    "wrong_columns": "some columns (inputs) are wrong, the others are right",
    "row_factor": "every row is off by a factor of its own",
    "column_factor": "every column is off by a factor of its own",
    "swapped_columns": "columns (inputs) are swapped",
    "band_shifted": "a band of the matrix is shifted",
    "rank_one_missing": "a rank-one term is missing",
    "symmetric_only": "right for a symmetric matrix only",
    "outside_slopes": "at a kink, the claim lies outside the slopes of both sides",
    "wrong_point": "the claim is right at another point",
    "missing_entries": "entries outside the claimed pattern are missing",
}


class Candidate(NamedTuple):
    """A slip that fits what was seen.

    Attributes
    ----------
    identifier : str
        A key of `SLIPS`.
    sentence : str
        What is wrong, adapted to the case, with its evidence.
    repair : str
        What to write instead.
    weight : float
        How well it fits, from 0 to 1: how unlikely it is that another slip gives the same numbers.
    """

    identifier: str
    sentence: str
    repair: str
    weight: float
