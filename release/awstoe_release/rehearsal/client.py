"""Controls the rehearsal's S3 server: start, buckets, faults, log, end."""

import json
import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from awstoe_release import commands
from awstoe_release.configuration import Configuration
from awstoe_release.failure import ReleaseFailure
from awstoe_release.rehearsal.server import CONTROL


class Request(NamedTuple):
    """One request that the server answered."""

    method: str
    bucket: str
    key: str
    status: int
    """0 if the connection was reset."""
    query: str


class S3Server:
    """A running server. It ends with the ``with`` block, or with this process."""

    def __init__(self, *, certificate: str = "", key: str = "") -> None:
        """Start the server.

        Args:
            certificate: A PEM file with a certificate, to serve with TLS as well.
            key: The PEM file with its key.

        Raises:
            ReleaseFailure: The server does not start.
        """
        command = [sys.executable, "-m", "awstoe_release.rehearsal.server"]
        if certificate:
            command += ["--certificate", certificate, "--key", key]
        path = os.pathsep.join([*sys.path, os.environ.get("PYTHONPATH", "")])
        self._server = commands.start_server(
            command, environment={**os.environ, "PYTHONPATH": path}
        )
        started = json.loads(self._server.line)
        if "error" in started:
            self._server.close()
            raise ReleaseFailure(started["error"], hint=started["hint"])
        self.endpoint = f"http://127.0.0.1:{started['http']}"
        self.tls_port: int = started.get("https", 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server."""
        self._server.close()

    def reset(
        self, configuration: Configuration, *, owners: Mapping[str, str] | None = None
    ) -> None:
        """Start over with one empty bucket for each region.

        Args:
            configuration: Has the regions and buckets.
            owners: The accounts of buckets that are not ours, by region.
        """
        owners = owners or {}
        self._control(
            "reset",
            [
                {
                    "name": region.bucket,
                    "region": region.name,
                    **({"owner": owners[region.name]} if region.name in owners else {}),
                }
                for region in configuration.regions
            ],
        )

    def fail(self, *faults: Mapping[str, Any]) -> None:
        """Inject faults (``faults.Fault``) from now on; none without an argument."""
        self._control("faults", faults)

    def requests(self) -> list[Request]:
        """Return the requests since the last ``forget`` or ``reset``."""
        return [Request(*row) for row in self._control("log", None)]

    def forget(self) -> None:
        """Forget the requests so far."""
        self._control("forget", None)

    def _control(self, what: str, data: Sequence[object] | None) -> Any:  # noqa: ANN401
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.endpoint}{CONTROL}{what}", data=json.dumps(data).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)
