"""Publishing against ``aws s3 cp``: four programs and their signatures, into 20 regions.

The server is the rehearsal's: on this machine, one bucket a region, every checksum checked.
``python -m bench.publishing FOLDER ENDPOINT`` publishes once; the bench starts that like any other
program, so that start-up counts.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measuring import MeasurementFailed, Program, run
from bench.table import Row, in_words

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
    # What the server insists on, and what protects an upload: its SHA-256.
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
}


def configuration(endpoint: str) -> "Configuration":
    """The release's own, pointed at the server."""
    from awstoe_release import configuration as release_configuration  # noqa: PLC0415

    return release_configuration.load(
        environment={},
        overrides=[f"publish.endpoint={endpoint}", f"publish.account={ACCOUNT}"],
    )


def make_files(folder: Path) -> list[Path]:
    """The files of a version, of random bytes."""
    made = []
    for name in PROGRAMS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(PROGRAM_BYTES))
        signature = path.with_name(path.name + ".sig")
        signature.write_bytes(os.urandom(SIGNATURE_BYTES))
        made += [path, signature]
    return made


def rows(work: Path, aws: Path) -> list[Row]:
    """Measure: everything sent by us, again with nothing to send, everything sent by aws.

    Raises:
        MeasurementFailed: One of them did not publish.
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
            raise MeasurementFailed("a second run sent something")
        server.reset(config)
        one_after_the_other = work / "aws.sh"
        lines = [
            f"{aws} s3 cp --only-show-errors --endpoint-url {server.endpoint}"
            f" --region {region.name} --checksum-algorithm SHA256 {path}"
            f" s3://{region.bucket}/{path.relative_to(work)}\n"
            for path in files
            for region in config.regions
        ]
        one_after_the_other.write_text("set -e\n" + "".join(lines))
        theirs = run(Program(("sh", one_after_the_other)), work).seconds
    count = len(lines)
    sent = f"{count} files to {len(config.regions)} regions"
    return [
        Row(
            f"publish {sent}, faster by",
            in_words(first),
            f"`aws s3 cp`, one after the other: {in_words(theirs)}",
            theirs / first,
            3.0,
            at_least=True,
        ),
        Row("the same again, nothing to send", in_words(again), "-", again / first, 0.25),
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
