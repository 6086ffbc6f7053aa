"""The AWS side of a version that does not talk to AWS: it says so, and never makes up a value."""

from typing import NoReturn

from awstoe.errors import AwsError
from awstoe.expressions.values import Value


def _refuse(what: str) -> NoReturn:
    raise AwsError(
        f"{what} cannot be read: talking to AWS is not in this version of awstoe",
        hint="hand the value to the document as a parameter instead",
    )


class NoAws:
    """Implements the engine's ``AwsValues`` by refusing."""

    def ssm(self, name: str) -> Value:
        """See ``AwsValues``."""
        _refuse(f"the SSM parameter {name}")

    def imds(self, path: str) -> str:
        """See ``AwsValues``."""
        _refuse(f"the instance metadata {path}")

    def account_id(self) -> str:
        """See ``AwsValues``."""
        _refuse("the account id")

    def region(self) -> str:
        """See ``AwsValues``."""
        _refuse("the region")
