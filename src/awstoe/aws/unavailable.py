"""Replaces AWS, which this version cannot access: every request is an error."""

from typing import NoReturn

from awstoe.errors import AwsError
from awstoe.expressions.values import Value


class UnavailableError(AwsError):
    """This version cannot do it, and another attempt cannot change that."""

    permanent = True


def _refuse(what: str) -> NoReturn:
    raise UnavailableError(
        f"{what} cannot be read: access to AWS is not in this version of awstoe",
        hint="pass the value to the document as a parameter instead",
    )


class NoAws:
    """Implements the engine's ``AwsValues`` with errors."""

    def ssm(self, name: str) -> Value:
        _refuse(f"the SSM parameter {name}")

    def imds(self, path: str) -> str:
        _refuse(f"the instance metadata {path}")

    def account_id(self) -> str:
        _refuse("the account id")

    def region(self) -> str:
        _refuse("the region")
