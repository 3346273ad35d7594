"""What can go wrong, one sentence each, with the exit code."""


class FetchError(Exception):
    """A failure for the user to read; `str` of it is one sentence."""

    exit_code = 1


class RequestError(FetchError):
    """Something was asked for that does not exist."""

    exit_code = 2


class SourceError(FetchError):
    """What was published is not what this script knows how to package."""

    exit_code = 3


class DownloadError(FetchError):
    """pip is missing, or could not get a file."""

    exit_code = 4


class WriteError(FetchError):
    """The product could not be written."""

    exit_code = 5
