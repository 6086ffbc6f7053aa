"""The error of the signing tools."""

from awstoe.errors import AwstoeError


class SigningFailure(AwstoeError):
    """A key or a signature cannot be made."""
