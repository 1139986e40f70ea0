"""The errors a person can mend: one line that says what, which rule, the value and the way out."""


class TombolaError(Exception):
    """Root of every error that the command line prints as one line and ends with exit status 2.

    The message is a single line without a full stop. Anything that is not a `TombolaError` is a
    bug and keeps its traceback.
    """


class ConfigError(TombolaError, ValueError):
    """A parameter of ours is out of its range."""


class TicketError(TombolaError, ValueError):
    """A ticket file breaks a rule of docs/ticket-format.md."""


class FitError(TombolaError, ValueError):
    """A ticket is sound but does not fit the engine it was meant for."""


class DataError(TombolaError):
    """A data set is missing, damaged or of the wrong shape."""


class ToolError(TombolaError):
    """A program that we need is missing, too old, or failed."""


class DeviceError(TombolaError):
    """A board is not found, does not answer, or answers what it should not."""
