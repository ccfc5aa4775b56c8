"""How a command ends when it does not succeed: the exit statuses that all commands share, and their exceptions."""

REFUSED = 1  # a command cannot do what it is asked for: no formula, no trace
USAGE = 4  # the command line makes no sense
INTERRUPTED = 130  # what shells expect after Ctrl+C


class UsageError(Exception):
    """The command line makes no sense; the message says what to write instead."""


class Failure(Exception):
    """A command cannot do what it is asked for; the message says why.

    Attributes
    ----------
    status : int
        The exit status.
    """

    def __init__(self, message: str, status: int = REFUSED):
        super().__init__(message)
        self.status = status
