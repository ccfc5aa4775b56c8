"""Verification: whether a derivative that was worked out by hand is right, and which slip it looks like if not."""

from jacobi.verification.chains import ChainReport, check_chain
from jacobi.verification.check import check
from jacobi.verification.report import Entry, Report
from jacobi.verification.slips import SLIPS, Candidate
from jacobi.verification.verified import verified

__all__ = ["SLIPS", "Candidate", "ChainReport", "Entry", "Report", "check", "check_chain", "verified"]
