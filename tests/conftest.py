"""The registry of operations is complete before a test looks at it, whatever was imported first."""

import jacobi.rules.library
import jacobi.rules.special  # noqa: F401
