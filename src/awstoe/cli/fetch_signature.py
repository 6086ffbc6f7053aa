"""Downloads the published signature of the running program, for ``verify-signature --fetch``."""

import platform
import sys

from awstoe import __version__, limits
from awstoe.errors import HostError, TrustError, UsageError
from awstoe.host import platforms
from awstoe.host.network import http, urls
from awstoe.host.network.deadline import Deadline, Timeouts
from awstoe.update import layout, regions
from awstoe.update.errors import combined
from awstoe.update.repository import NotFound, TooLarge, WebRepository


def fetch(template: str | None, region: str | None) -> tuple[str, bytes]:
    """Return the URL and the bytes of the signature that was published for exactly this version.

    Args:
        template: URL template of the releases; None if it is not known.
        region: The region to try first; None for any.

    Raises:
        UsageError: The URL of the releases is not known.
        HostError: No region could be reached.
        TrustError: A region does not have it.
    """
    if template is None:
        raise UsageError(
            "this is a development build: it does not know where releases are published",
            hint="use --url TEMPLATE",
        )
    bits = 64 if sys.maxsize > 2**32 else 32
    architecture = platforms.architecture(platform.machine(), pointer_bits=bits)
    path = layout.program_path(__version__, platforms.current(), architecture) + layout.SIGNATURE
    client = http.Client(
        Timeouts(
            limits.UPDATE_CONNECT_SECONDS,
            limits.UPDATE_IDLE_SECONDS,
            limits.UPDATE_METADATA_SECONDS,
        )
    )
    client.deadline = Deadline(limits.UPDATE_ALL_METADATA_SECONDS)
    mirrors = regions.mirrors(template, regions.order(regions.read(), region))
    regions.check_choice(template, region)
    failures: list[HostError | TrustError] = []
    for mirror in mirrors[: limits.UPDATE_REGIONS]:
        try:
            signature = WebRepository(mirror, client).read(path, limits.SIGNATURE_BYTES)
            return urls.redacted(mirror.url + path), signature
        except NotFound:
            missing = f"{mirror.name} has no signature of {__version__}: {path} does not exist"
            failures.append(TrustError(missing))
        except TooLarge as error:
            failures.append(TrustError(f"{mirror.name}: {error}"))
        except HostError as error:
            failures.append(error)
    raise combined(failures)
