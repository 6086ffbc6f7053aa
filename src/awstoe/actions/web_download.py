"""WebDownload: download files over HTTP or HTTPS.

- A `destination` that ends in a path separator is a folder; the name of the file is then the last
  part of the URL's path. Missing folders are created.
- Each download has up to 5 attempts of its own, with growing pauses. Redirects are followed; any
  final status other than 200 is an error.
- `checksum` and `algorithm` require each other. If the hash of the file differs, the file is
  removed and the step fails. An existing file with the right hash is not downloaded again.
- With `overwrite: false`, an existing file is an error.
- The file appears under its name only once it is complete.
- `ignoreCertificateErrors` applies only to its own operation.
"""

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

from awstoe.actions.fields import WEB_URL, Boolean, Choice, LocalPath, Pattern
from awstoe.expressions.values import Value

EXAMPLE = """\
- source: https://example.com/app/app-1.2.tar.gz
  destination: /tmp/
  checksum: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  algorithm: SHA256
"""

_HEX_DIGITS: Final = {"MD5": 32, "SHA1": 40, "SHA256": 64, "SHA512": 128}


class Inputs(NamedTuple):
    """The inputs of WebDownload."""

    source: Annotated[
        str, Pattern("The URL to download.", WEB_URL, "a URL that starts with http:// or https://")
    ]
    destination: Annotated[str, LocalPath("The file, or a folder.")]
    overwrite: Annotated[bool, Boolean("Whether an existing file is replaced.")] = True
    checksum: Annotated[
        str | None, Pattern("The expected hash.", r"[0-9A-Fa-f]+", "hexadecimal digits")
    ] = None
    algorithm: Annotated[
        str | None, Choice("The hash's algorithm.", "MD5", "SHA1", "SHA256", "SHA512")
    ] = None
    ignore_certificate_errors: Annotated[
        bool,
        Boolean("Whether any TLS certificate is accepted.", name="ignoreCertificateErrors"),
    ] = False


class Outputs(NamedTuple):
    """The outputs of WebDownload."""

    destination: Annotated[str, "The paths of the files, one per line."]


def conflict(given: Mapping[str, Value]) -> str | None:
    """Check that ``checksum`` and ``algorithm`` are both given, and that the length fits."""
    if ("checksum" in given) != ("algorithm" in given):
        given_name, missing = (
            ("checksum", "algorithm")
            if "checksum" in given
            else (
                "algorithm",
                "checksum",
            )
        )
        return f"'{given_name}' requires '{missing}'"
    checksum, algorithm = str(given.get("checksum")), str(given.get("algorithm")).upper()
    digits = _HEX_DIGITS.get(algorithm)
    if digits is None or "{{" in checksum or len(checksum) == digits:
        return None
    return f"expected {digits} hexadecimal digits for {algorithm}, got {len(checksum)}"
