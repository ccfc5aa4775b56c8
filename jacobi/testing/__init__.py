"""Testers of contracts: `check_rule` proves the rule of one operation by its properties."""

from jacobi.testing import strategies
from jacobi.testing.assertion import assert_jacobian
from jacobi.testing.rules import check_rule, checks, rule_of
from jacobi.testing.search import check_jacobian

__all__ = ["assert_jacobian", "check_jacobian", "check_rule", "checks", "rule_of", "strategies"]
