"""The chain rule with a slip in it: the function is differentiated again, wrongly, until the claim comes out."""
