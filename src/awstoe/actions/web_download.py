"""WebDownload: download files over HTTP or HTTPS.

- A `destination` that ends in the path separator is a folder; the file's name then comes from the
  path of the URL. Missing folders are made.
- Each download gets up to 5 attempts of its own, with growing pauses. Redirects are followed; any
  final status but 200 is an error.
- `checksum` and `algorithm` go together. A file whose hash differs is removed and fails the step;
  one that is there already with the right hash is not downloaded again.
- With `overwrite: false` an existing file is an error.
- The file appears under its name only when it is complete.
- `ignoreCertificateErrors` holds for its own operation only.
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
    """What WebDownload is given."""

    source: Annotated[
        str, Pattern("What to download.", WEB_URL, "a URL that begins with http:// or https://")
    ]
    destination: Annotated[str, LocalPath("The file, or a folder.")]
    overwrite: Annotated[bool, Boolean("Whether an existing file is replaced.")] = True
    checksum: Annotated[
        str | None, Pattern("The hash it has to have.", r"[0-9A-Fa-f]+", "hexadecimal digits")
    ] = None
    algorithm: Annotated[
        str | None, Choice("The hash's algorithm.", "MD5", "SHA1", "SHA256", "SHA512")
    ] = None
    ignore_certificate_errors: Annotated[
        bool,
        Boolean("Whether any TLS certificate is accepted.", name="ignoreCertificateErrors"),
    ] = False


class Outputs(NamedTuple):
    """What WebDownload gives."""

    destination: Annotated[str, "The paths of the files, one per line."]


def conflict(given: Mapping[str, Value]) -> str | None:
    """Want ``checksum`` and ``algorithm`` together, and the one as long as the other says."""
    if ("checksum" in given) != ("algorithm" in given):
        there, missing = (
            ("checksum", "algorithm")
            if "checksum" in given
            else (
                "algorithm",
                "checksum",
            )
        )
        return f"'{there}' needs '{missing}' beside it"
    checksum, algorithm = str(given.get("checksum")), str(given.get("algorithm")).upper()
    digits = _HEX_DIGITS.get(algorithm)
    if digits is None or "{{" in checksum or len(checksum) == digits:
        return None
    return f"a checksum by {algorithm} has {digits} hexadecimal digits, got {len(checksum)}"
