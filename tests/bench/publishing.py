"""Compares publishing four programs and their signatures to 20 regions with ``aws s3 cp``.

The server is that of the rehearsal, on this machine: one bucket for each region, and it verifies
every checksum. ``python -m bench.publishing FOLDER ENDPOINT`` publishes once. The benchmark starts
it like any other program, so the time includes startup.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measuring import MeasurementFailed, Program, run
from bench.table import Row, as_text

if TYPE_CHECKING:
    from awstoe_release.configuration import Configuration

PROGRAMS = ("linux/386/awstoe", "linux/amd64/awstoe", "linux/arm64/awstoe", "windows/amd64/a.exe")
PROGRAM_BYTES = 13_000_000
SIGNATURE_BYTES = 566
ACCOUNT = "123456789012"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    # The server requires the SHA-256 of each upload.
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
}


def configuration(endpoint: str) -> "Configuration":
    """Return the configuration of releases, with the server as the endpoint."""
    from awstoe_release import configuration as release_configuration  # noqa: PLC0415

    return release_configuration.load(
        environment={},
        overrides=[f"publish.endpoint={endpoint}", f"publish.account={ACCOUNT}"],
    )


def make_files(folder: Path) -> list[Path]:
    """Write the files of a version, with random bytes, and return their paths."""
    paths = []
    for name in PROGRAMS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(PROGRAM_BYTES))
        signature = path.with_name(path.name + ".sig")
        signature.write_bytes(os.urandom(SIGNATURE_BYTES))
        paths += [path, signature]
    return paths


def rows(work: Path, aws: Path) -> list[Row]:
    """Measure publishing by us, a second time with nothing to send, and publishing by aws.

    Raises:
        MeasurementFailed: A program failed, or the second run sent something.
    """
    from awstoe_release.rehearsal.client import S3Server  # noqa: PLC0415

    os.environ.update(CREDENTIALS)
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    files = make_files(work / "1.0")
    with S3Server() as server:
        config = configuration(server.endpoint)
        ours = Program((sys.executable, "-m", "bench.publishing", work, server.endpoint))
        server.reset(config)
        first = run(ours, work).seconds
        server.forget()
        again = run(ours, work).seconds
        if any(each.method == "PUT" for each in server.requests()):
            raise MeasurementFailed("the second run sent something")
        server.reset(config)
        script = work / "aws.sh"
        lines = [
            f"{aws} s3 cp --only-show-errors --endpoint-url {server.endpoint}"
            f" --region {region.name} --checksum-algorithm SHA256 {path}"
            f" s3://{region.bucket}/{path.relative_to(work)}\n"
            for path in files
            for region in config.regions
        ]
        script.write_text("set -e\n" + "".join(lines))
        theirs = run(Program(("sh", script)), work).seconds
    count = len(lines)
    sent = f"{count} files to {len(config.regions)} regions"
    return [
        Row(
            f"publish {sent}, faster by",
            as_text(first),
            f"`aws s3 cp`, one after the other: {as_text(theirs)}",
            theirs / first,
            3.0,
            at_least=True,
        ),
        Row("the same again, nothing to send", as_text(again), "-", again / first, 0.25),
    ]


def main() -> None:
    """Publish the files of a folder."""
    from awstoe_release.plan import Item, Phase, content_type  # noqa: PLC0415
    from awstoe_release.publishing import Publisher  # noqa: PLC0415

    folder, config = Path(sys.argv[1]), configuration(sys.argv[2])
    items = [
        Item(
            key=str(path.relative_to(folder)),
            path=str(path),
            phase=Phase.VERSIONED,
            immutable=True,
            content_type=content_type(path.name),
            cache_control=config.publish.immutable_cache,
        )
        for path in sorted((folder / "1.0").rglob("*"))
        if path.is_file()
    ]
    results = Publisher(config.publish, version="1.0").publish(config.regions, items, "bench")
    failed = [result.failure.message for result in results.values() if result.failure]
    if failed:
        sys.exit(failed[0])


if __name__ == "__main__":
    main()
