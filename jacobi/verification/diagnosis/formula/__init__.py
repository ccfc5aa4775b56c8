"""The formula of a claim that is a Python function: which single edit makes it right."""
