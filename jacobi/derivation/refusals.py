"""The errors of a derivation: no formula is given where one cannot be shown to hold."""

from __future__ import annotations

from jacobi.errors import NoRuleError


class DerivationError(NoRuleError):
    """No formula can be given; the message says why, and what was found up to there."""


class Mistaken(DerivationError):
    """A formula was found that does not hold."""
