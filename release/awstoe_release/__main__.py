"""Makes releases, and does the work between them. Start with docs/releasing.md."""

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from awstoe.update.releases import Version
from awstoe_build.arguments import parsed
from awstoe_build.failure import exit_code_of
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
from awstoe_release.rehearsal.rehearse import RehearsalOptions
from awstoe_release.release import REPOSITORY, Release
from awstoe_release.state import State
from awstoe_signing.keys import lifecycle
from awstoe_signing.keys.directory import Purpose

_Options = argparse.Namespace
PROGRAM: Final = "awstoe-release"
_OUT: Final = "out"
_PROMOTION: Final = ("metadata", "publish", "verify-published", "promote")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Return the exit code."""
    options = parsed(_parser(), arguments)
    command: Callable[[_Options], int] = options.command
    return exit_code_of(
        PROGRAM, lambda: command(options), interrupted="run the same command again to continue"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[_Options], int], help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
        made.set_defaults(command=run)
        made.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="SECTION.KEY=VALUE",
            help="override a value of release.toml (repeatable)",
        )
        made.add_argument(
            "--configuration",
            default=configuration.FOLDER,
            metavar="DIR",
            help="the folder of release.toml (default: release/ of this source tree)",
        )
        made.add_argument(
            "--keys",
            default="",
            metavar="DIR",
            help="the folder of keys (default: the value signing.keys of release.toml)",
        )
        made.add_argument(
            "--out",
            default=os.path.join(REPOSITORY, _OUT),
            metavar="DIR",
            help="where to keep the release's files (default: out/ of this source tree)",
        )
        made.add_argument("--channel", default="stable", help="the channel (default: stable)")
        made.add_argument(
            "--region",
            action="append",
            default=[],
            metavar="REGION",
            help="only this region (repeatable)",
        )
        made.add_argument(
            "--targets",
            default="",
            metavar="TARGETS",
            help="only these targets, separated by commas or spaces",
        )
        made.add_argument(
            "--dry-run", action="store_true", help="change nothing, print what would be done"
        )
        return made

    _add_run_options(add("run", _run, "make a release, or continue one"))

    made = add("plan", _plan, "show every object with its key, size and headers, and every region")
    made.add_argument("--version", type=_version, help="the version (default: that of the sources)")
    _add_json(made)

    made = add("promote", _promote, "offer a published version to users")
    _add_version(made)

    made = add("withdraw", _withdraw, "stop offering a version to installed programs")
    _add_version(made)
    made.add_argument("--reason", required=True, metavar="TEXT", help="the reason, shown to users")

    made = add("rollback", _rollback, "show how to bring an older version back, as a higher one")
    _add_version(made)

    made = add("rotate-key", _rotate_key, "let another key sign from now on")
    made.add_argument(
        "--purpose",
        required=True,
        choices=[each.value for each in Purpose],
        metavar="PURPOSE",
        help=f"what the key signs: {', '.join(Purpose)}",
    )
    made.add_argument("--name", default="", help="the key to replace (default: the oldest)")
    made.add_argument(
        "--days",
        type=int,
        default=lifecycle.ROTATED_DAYS,
        help=f"the validity of the new key in days (default: {lifecycle.ROTATED_DAYS})",
    )
    made.add_argument("--kms", default="", metavar="ARN", help="use this key of AWS KMS")

    add("refresh-timestamp", _refresh, "keep the trust metadata fresh; run this every day")

    made = add("status", _status, "show what every region serves")
    _add_json(made)

    made = add("verify", _verify, "download a version from every region and verify it")
    _add_version(made)
    _add_json(made)

    made = add("rehearse", _rehearse, "make a whole release on this machine, with throw-away keys")
    made.add_argument(
        "--files", default="", metavar="DIR", help="use the finished programs in this folder"
    )
    made.add_argument(
        "--older", default="", metavar="DIR", help="the same for programs of an older version"
    )
    _add_without(made)

    made = add("prepare", _prepare, "set the version, and collect the changelog's fragments for it")
    _add_version(made)
    return parser


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"The steps: {', '.join(pipeline.NAMES)}."
    parser.add_argument(
        "--from",
        dest="begin",
        default="",
        choices=pipeline.NAMES,
        metavar="STEP",
        help="start with this step, even if it is done",
    )
    parser.add_argument(
        "--until", default="", choices=pipeline.NAMES, metavar="STEP", help="stop after this step"
    )
    _add_without(parser)
    parser.add_argument(
        "--files", default="", metavar="DIR", help="release the finished programs in this folder"
    )
    parser.add_argument(
        "--older",
        default="",
        metavar="DIR",
        help="programs of an older version, to prove the update with",
    )


def _add_without(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=pipeline.NAMES,
        metavar="STEP",
        help="leave this step out (repeatable)",
    )


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "version", type=_version, metavar="VERSION", help="the version, for example 1.2.0"
    )


def _version(text: str) -> str:
    try:
        return str(Version(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _log(text: str) -> None:
    print(text, flush=True)


def _configuration(options: _Options) -> Configuration:
    return configuration.load(folder=options.configuration, overrides=options.set)


def _targets(config: Configuration, options: _Options) -> tuple[str, ...]:
    """Return the chosen targets, and check the chosen regions.

    Raises:
        ReleaseFailure: There is no such target or region.
    """
    targets = tuple(options.targets.replace(",", " ").split()) or config.product.targets
    unknown = [each for each in targets if each not in config.product.targets]
    if unknown:
        raise ReleaseFailure(
            f"unknown target {unknown[0]!r}",
            hint=f"expected one of {', '.join(config.product.targets)}",
        )
    for region in options.region:
        config.region(region)
    return targets


def _release(options: _Options, *, version: str = "", name: str = "") -> Release:
    """Return the release that the options select, with its state.

    Args:
        options: The options of the command line.
        version: The version of an earlier release; that of the sources if empty.
        name: The folder's name, for work that is not a release.
    """
    config = _configuration(options)
    config.channel(options.channel)
    targets = _targets(config, options)
    commit, epoch = source_tree.commit(REPOSITORY)
    folder = os.path.join(
        os.path.abspath(options.out),
        name or f"release-{version or source_tree.version(REPOSITORY)}",
    )
    if version:
        # An earlier release: the sources may have changed since.
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
        log=_log,
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
            without=dict.fromkeys(options.without, "left out by --without"),
        )
        _log(f"{release.version}: {time.monotonic() - started:.0f} s")
    return _ended(failed, "run --from publish")


def _ended(failed: Collection[str] | Mapping[str, RegionFailure], again: str) -> int:
    """Report the regions that failed. Return the exit code.

    Args:
        failed: The names of the regions, with or without their errors.
        again: The command that completes them, without the regions.
    """
    names = sorted(failed)
    if not names:
        return 0
    if isinstance(failed, Mapping):
        for name in names:
            sys.stderr.write(f"{PROGRAM}: {name}: {failed[name].message}\n")
    sys.stderr.write(f"{PROGRAM}: not complete in {', '.join(names)}\n")
    regions = " ".join(f"--region {name}" for name in names)
    works = "the region works" if len(names) == 1 else "the regions work"
    sys.stderr.write(f"  hint: when {works} again, run: {PROGRAM} {again} {regions}\n")
    return 1


def _plan(options: _Options) -> int:
    config = _configuration(options)
    version = options.version or source_tree.version(REPOSITORY)
    targets = _targets(config, options)
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
    return _ended(failed, f"promote {options.version}")


def _withdraw(options: _Options) -> int:
    with state.locked(os.path.abspath(options.out)):
        release = _release(options, name="operations")
        failures = operations.withdraw(release, options.version, options.reason)
    reason = shlex.quote(options.reason)
    return _ended(failures, f"withdraw {options.version} --reason {reason}")


def _rollback(options: _Options) -> int:
    print(operations.rollback_text(options.version, REPOSITORY), end="")
    return 0


def _rotate_key(options: _Options) -> int:
    with state.locked(os.path.abspath(options.out)):
        release = _release(options, name="operations")
        failures = operations.rotate_key(
            release, Purpose(options.purpose), options.days, options.kms, options.name
        )
    return _ended(failures, "refresh-timestamp")


def _refresh(options: _Options) -> int:
    with state.locked(os.path.abspath(options.out)):
        failures = operations.refresh_timestamp(_release(options, name="operations"))
    return _ended(failures, "refresh-timestamp")


def _status(options: _Options) -> int:
    config = _configuration(options)
    publisher = Publisher(config.publish, version="")
    found = status.read(config, publisher, config.channel(options.channel))
    print(json.dumps(found, indent=1) + "\n" if options.json else status.as_table(found), end="")
    return 0 if status.is_well(found) else 1


def _verify(options: _Options) -> int:
    release = _release(options, version=options.version, name="operations")
    verdicts, failures = operations.verify(release)
    if options.json:
        data = {
            "version": options.version,
            "regions": {
                name: [each._asdict() for each in files] for name, files in verdicts.items()
            },
            "failures": {name: failure.message for name, failure in failures.items()},
        }
        print(json.dumps(data, indent=1))
    else:
        rows = [[name, f"{len(files)} files good"] for name, files in sorted(verdicts.items())]
        rows += [[name, failure.message] for name, failure in sorted(failures.items())]
        print(tables.text(["region", options.version], rows), end="")
    return 1 if failures else 0


def _rehearse(options: _Options) -> int:
    return rehearse.run(
        RehearsalOptions(
            out=options.out,
            targets=tuple(options.targets.replace(",", " ").split()),
            files=options.files,
            older=options.older,
            without=tuple(options.without),
            overrides=tuple(options.set),
            folder=options.configuration,
        ),
        _log,
    )


def _prepare(options: _Options) -> int:
    for path in source_tree.prepare(
        REPOSITORY, options.version, time.strftime("%Y-%m-%d", time.gmtime())
    ):
        _log(path)
    _log(f"check the changes, then run: git commit, git tag -s v{options.version}, make release")
    return 0


if __name__ == "__main__":
    sys.exit(main())
