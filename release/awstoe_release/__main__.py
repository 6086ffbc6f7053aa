"""``make release`` and the other commands of a release: ``python -m awstoe_release``."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from awstoe_release import (
    configuration,
    operations,
    pipeline,
    plan,
    source_tree,
    state,
    status,
    tables,
)
from awstoe_release.configuration import Configuration
from awstoe_release.failure import RegionFailure, ReleaseFailure
from awstoe_release.publishing import Publisher
from awstoe_release.rehearsal import rehearse
from awstoe_release.rehearsal.rehearse import Wish
from awstoe_release.release import REPOSITORY, Release
from awstoe_release.state import State
from awstoe_signing.failure import exit_code_of
from awstoe_signing.keys.directory import Purpose

_Options = argparse.Namespace
PROGRAM: Final = "awstoe-release"
_OUT: Final = "out"
_KEY_DAYS: Final = 1095
_PROMOTION: Final = ("metadata", "publish", "verify-published", "promote")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; gives the exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[_Options], int] = options.command
    return exit_code_of(
        PROGRAM, lambda: command(options), interrupted="run the same command again to continue"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[_Options], int], help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help)
        made.set_defaults(command=run)
        made.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
        made.add_argument("--configuration", default=configuration.FOLDER, metavar="DIR")
        made.add_argument("--keys", default="", metavar="DIR", help="the folder of keys")
        made.add_argument("--out", default=os.path.join(REPOSITORY, _OUT), metavar="DIR")
        made.add_argument("--channel", default="stable")
        made.add_argument(
            "--region", action="append", default=[], help="only this one (repeatable)"
        )
        made.add_argument("--targets", default="", help="only these, separated by commas or spaces")
        made.add_argument(
            "--dry-run", action="store_true", help="change nothing, say what would be"
        )
        return made

    made = add("run", _run, "make a release, or go on with one")
    made.add_argument("--from", dest="begin", default="", choices=pipeline.NAMES, help="begin here")
    made.add_argument("--until", default="", choices=pipeline.NAMES, help="stop after this step")
    made.add_argument("--without", action="append", default=[], choices=pipeline.NAMES)
    made.add_argument("--files", default="", metavar="DIR", help="release finished programs")
    made.add_argument("--older", default="", metavar="DIR", help="programs of an older version")

    made = add("plan", _plan, "show every object, size, key, header and region")
    made.add_argument("--version", default="", help="another version than that of the sources")
    made.add_argument("--json", action="store_true")

    made = add("promote", _promote, "let the regions have a version that is published")
    made.add_argument("version")

    made = add("withdraw", _withdraw, "let nobody be updated to a version any more")
    made.add_argument("version")
    made.add_argument("--reason", required=True, help="what users are told")

    made = add("rollback", _rollback, "how an older version is brought back, as a higher one")
    made.add_argument("version")

    made = add("rotate-key", _rotate_key, "let another key sign from now on")
    made.add_argument("--purpose", required=True, choices=[each.value for each in Purpose])
    made.add_argument("--name", default="", help="the key that it replaces (default the oldest)")
    made.add_argument("--days", type=int, default=_KEY_DAYS, help="valid so long")
    made.add_argument("--kms", default="", metavar="ARN", help="the new key, at AWS KMS")

    add("refresh-timestamp", _refresh, "keep the trust metadata fresh (run it every day)")

    made = add("status", _status, "what every region serves")
    made.add_argument("--json", action="store_true")

    made = add("verify", _verify, "download a version from every region and verify it")
    made.add_argument("version")
    made.add_argument("--json", action="store_true")

    made = add("rehearse", _rehearse, "a whole release on this machine, with throw-away keys")
    made.add_argument("--files", default="", metavar="DIR", help="finished programs, not built")
    made.add_argument("--older", default="", metavar="DIR", help="of an older version, not built")
    made.add_argument("--without", action="append", default=[], choices=pipeline.NAMES)

    made = add("prepare", _prepare, "collect the changelog's fragments for a version")
    made.add_argument("version")
    return parser


def _say(text: str) -> None:
    print(text, flush=True)


def _configuration(options: _Options) -> Configuration:
    return configuration.load(folder=options.configuration, overrides=options.set)


def _release(options: _Options, *, version: str = "", name: str = "") -> Release:
    """The release that the options speak of, its state read.

    Args:
        options: Of the command line.
        version: Of a release that was made before; that of the sources when empty.
        name: Of a folder for what is no release.
    """
    config = _configuration(options)
    config.channel(options.channel)
    targets = tuple(options.targets.replace(",", " ").split()) or config.product.targets
    unknown = [each for each in targets if each not in config.product.targets]
    if unknown:
        raise ReleaseFailure(
            f"unknown target {unknown[0]!r}", hint=f"one of {', '.join(config.product.targets)}"
        )
    for region in options.region:
        config.region(region)
    commit, epoch = source_tree.commit(REPOSITORY)
    folder = os.path.join(
        os.path.abspath(options.out),
        name or f"release-{version or source_tree.version(REPOSITORY)}",
    )
    if version:
        # Made before: the sources may have gone on since then.
        commit = (state.read(folder) or {}).get("commit", commit)
    version = version or source_tree.version(REPOSITORY)
    keys = options.keys or config.signing.keys
    return Release(
        configuration=config,
        version=version,
        commit=commit,
        epoch=epoch,
        channel_name=options.channel,
        targets=targets,
        folder=folder,
        keys=os.path.abspath(keys) if keys else "",
        state=State.open(folder, version=version, commit=commit),
        publisher=Publisher(config.publish, version=version, dry_run=options.dry_run),
        say=_say,
        only=tuple(options.region),
        dry_run=options.dry_run,
    )


def _run(options: _Options) -> int:
    with state.locked(os.path.abspath(options.out)):
        release = _release(options)
        release = release._replace(
            files=os.path.abspath(options.files) if options.files else "",
            older=os.path.abspath(options.older) if options.older else "",
        )
        started = time.monotonic()
        failed = pipeline.run(
            release,
            release.state,
            begin=options.begin,
            until=options.until,
            without=dict.fromkeys(options.without, "asked for with --without"),
        )
        _say(f"{release.version}: {time.monotonic() - started:.0f} s")
    return _ended(failed, "run --from publish --region ")


def _ended(failed: Collection[str] | Mapping[str, RegionFailure], again: str) -> int:
    """The exit code; regions that failed are told."""
    names = sorted(failed)
    if not names:
        return 0
    if isinstance(failed, Mapping):
        for name in names:
            sys.stderr.write(f"{PROGRAM}: {name}: {failed[name].message}\n")
    sys.stderr.write(f"{PROGRAM}: not complete in {', '.join(names)}\n")
    sys.stderr.write(f"  hint: when the region works again, run: {PROGRAM} {again}{names[0]}\n")
    return 1


def _plan(options: _Options) -> int:
    config = _configuration(options)
    version = options.version or source_tree.version(REPOSITORY)
    targets = tuple(options.targets.replace(",", " ").split()) or config.product.targets
    tree = os.path.join(os.path.abspath(options.out), f"release-{version}", "tree")
    objects = plan.items(
        config,
        version=version,
        channel=config.channel(options.channel),
        tree=tree,
        targets=targets,
    )
    data = plan.described(config, objects, version)
    print(json.dumps(data, indent=1) if options.json else plan.as_text(data), end="")
    return 0


def _promote(options: _Options) -> int:
    with state.locked(os.path.abspath(options.out)):
        release = _release(options, version=options.version)
        operations.fetch(release)
        failed = pipeline.run(release, release.state, only=_PROMOTION)
    return _ended(failed, f"promote {options.version} --region ")


def _withdraw(options: _Options) -> int:
    with state.locked(os.path.abspath(options.out)):
        release = _release(options, name="operations")
        failures = operations.withdraw(release, options.version, options.reason)
    return _ended(failures, f"withdraw {options.version} --region ")


def _rollback(options: _Options) -> int:
    print(operations.rollback_text(options.version, REPOSITORY), end="")
    return 0


def _rotate_key(options: _Options) -> int:
    with state.locked(os.path.abspath(options.out)):
        release = _release(options, name="operations")
        failures = operations.rotate_key(
            release, Purpose(options.purpose), options.days, options.kms, options.name
        )
    return _ended(failures, "refresh-timestamp --region ")


def _refresh(options: _Options) -> int:
    with state.locked(os.path.abspath(options.out)):
        failures = operations.refresh_timestamp(_release(options, name="operations"))
    return _ended(failures, "refresh-timestamp --region ")


def _status(options: _Options) -> int:
    config = _configuration(options)
    publisher = Publisher(config.publish, version="")
    found = status.read(config, publisher, config.channel(options.channel))
    print(json.dumps(found, indent=1) + "\n" if options.json else status.as_table(found), end="")
    return 0 if status.is_well(found) else 1


def _verify(options: _Options) -> int:
    release = _release(options, version=options.version, name="operations")
    found, failures = operations.verify(release)
    if options.json:
        data = {
            "version": options.version,
            "regions": {name: [each._asdict() for each in files] for name, files in found.items()},
            "failures": {name: failure.message for name, failure in failures.items()},
        }
        print(json.dumps(data, indent=1))
    else:
        rows = [[name, f"{len(files)} files good"] for name, files in sorted(found.items())]
        rows += [[name, failure.message] for name, failure in sorted(failures.items())]
        print(tables.text(["region", options.version], rows), end="")
    return 1 if failures else 0


def _rehearse(options: _Options) -> int:
    return rehearse.run(
        Wish(
            out=options.out,
            targets=tuple(options.targets.replace(",", " ").split()),
            files=options.files,
            older=options.older,
            without=tuple(options.without),
            overrides=tuple(options.set),
            folder=options.configuration,
        ),
        _say,
    )


def _prepare(options: _Options) -> int:
    for path in source_tree.prepare(
        REPOSITORY, options.version, time.strftime("%Y-%m-%d", time.gmtime())
    ):
        _say(path)
    _say(f"look at it, then: git commit, git tag -s v{options.version}, make release")
    return 0


if __name__ == "__main__":
    sys.exit(main())
