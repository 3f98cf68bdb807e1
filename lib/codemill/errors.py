"""Errors that a user sees: one clear line each, with the exit code that the commands document."""


class CodemillError(Exception):
    """Something that ends a command with one line on standard error."""

    exit_code = 1


class RunError(CodemillError):
    """The run failed (exit 1): its input was understood, its work could not be finished."""


class UsageError(CodemillError):
    """Bad usage or configuration (exit 2): the message names the thing, what was found and what is allowed."""

    exit_code = 2
