"""``make release-rehearsal``: rehearses a whole release on this machine.

It uses throw-away keys and our own S3 server, with one bucket for each region. Two versions go
through all steps, one after the other, so that programs of the first update themselves to the
second. The result is a table of what a user would have got in each region, for each target.
"""

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from awstoe.trust import release_trust
from awstoe.update import local_metadata
from awstoe_release import commands, configuration, pipeline, runners, source_tree, state, tables
from awstoe_release.configuration import FOLDER, Configuration
from awstoe_release.failure import ReleaseFailure
from awstoe_release.publishing import Publisher
from awstoe_release.rehearsal.client import S3Server
from awstoe_release.rehearsal.server import ACCOUNT
from awstoe_release.release import REPOSITORY, Release
from awstoe_release.state import RegionRecord, State
from awstoe_release.steps.prove_update import Proof, Proofs
from awstoe_signing.keys import ceremony, lifecycle
from awstoe_signing.keys.directory import KeyDirectory

_CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "rehearsal",
    "AWS_SECRET_ACCESS_KEY": "rehearsal",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_NOT_OURS: Final = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
_NOWHERE: Final = ".invalid/{region}/"
_DOWNLOADERS: Final = {
    "curl": ("curl", "--fail", "--silent", "--output"),
    "wget": ("wget", "--quiet", "--output-document"),
}
_OLDER_VERSION: Final = "the older version is only made to be updated"


class RehearsalOptions(NamedTuple):
    """What to rehearse."""

    out: str
    """The folder for all files."""
    targets: tuple[str, ...] = ()
    """The targets; all if empty."""
    files: str = ""
    """A folder with finished programs; if empty, they are built."""
    older: str = ""
    """The same for an older version."""
    without: tuple[str, ...] = ()
    """Steps to leave out."""
    overrides: tuple[str, ...] = ()
    """``section.key=value`` for the configuration."""
    folder: str = FOLDER
    """The folder of release.toml."""


def run(options: RehearsalOptions, log: Callable[[str], None]) -> int:
    """Rehearse. Return the exit code.

    Raises:
        AwstoeError: A step failed.
    """
    started = time.monotonic()
    folder = os.path.join(os.path.abspath(options.out), "rehearsal")
    with state.locked(folder), S3Server() as server:
        config = _configuration(options, server)
        server.reset(config)
        os.environ.update(_CREDENTIALS)
        for name in _NOT_OURS:
            os.environ.pop(name, None)
        keys = _keys(folder, log)
        _forget(keys)
        version = source_tree.version(REPOSITORY)
        before = source_tree.older(version)
        log(f"== {before}: the version that users have")
        first = _prepare(options, config, folder, keys, before, log)
        left_out = dict.fromkeys(("inspect", "conformance", "announce"), _OLDER_VERSION)
        failed = set(pipeline.run(first, first.state, without=left_out))
        log(f"\n== {version}: the version to release")
        second = _prepare(options, config, folder, keys, version, log)
        # As published, with Windows' signature, as users have it.
        second = second._replace(older=os.path.join(first.tree, before))
        wanted = dict.fromkeys(options.without, "left out by --without")
        failed |= set(pipeline.run(second, second.state, without=wanted))
        _forget(keys)
        log("")
        installed = _install(second, log)
        result = _result(second, installed)
        state.write_json(os.path.join(folder, "result.json"), result.as_json())
        log(as_table(result))
        log(f"rehearsed {before} and {version} in {time.monotonic() - started:.0f} s")
    if failed:
        log(f"failed in {', '.join(sorted(failed))}")
    return 1 if failed else 0


def _configuration(options: RehearsalOptions, server: S3Server) -> Configuration:
    """Return the configuration with every AWS address replaced by the server's."""
    return configuration.load(
        folder=options.folder,
        overrides=[
            *options.overrides,
            f"publish.endpoint={server.endpoint}",
            f"publish.account={ACCOUNT}",
            f"publish.url={server.endpoint}/{{bucket}}/{{key}}",
            "signing.timestamp_server=",
        ],
    )


def _keys(folder: str, log: Callable[[str], None]) -> str:
    """Return the folder of throw-away keys; made now if the last rehearsal left none."""
    place = os.path.join(folder, "keys")
    # Programs store their update state by this address. A rehearsal has its own, and so does not
    # affect real programs on this machine.
    address = f"https://{secrets.token_hex(8)}{_NOWHERE}"
    KeyDirectory(place, ceremony.REHEARSAL._replace(url=address))
    keys = ceremony.prepare(place)
    ceremony.complete(
        keys,
        now=int(time.time()),
        days=lifecycle.VALID_DAYS,
        say=lambda text: log(f"  {text}"),
    )
    return place


def _forget(keys: str) -> None:
    """Remove the update state of this rehearsal's programs: the next one starts over.

    If run by root, they store it outside their home folder (``awstoe.update.local_metadata``).
    """
    trust = release_trust.read(os.path.join(keys, "trust"))
    if trust is not None and trust.url.endswith(_NOWHERE):
        shutil.rmtree(local_metadata.folder_for(trust.url), ignore_errors=True)


def _prepare(
    options: RehearsalOptions,
    config: Configuration,
    folder: str,
    keys: str,
    version: str,
    log: Callable[[str], None],
) -> Release:
    """Return one of the two releases, new: the server does not have the last rehearsal."""
    files = options.files if version == source_tree.version(REPOSITORY) else options.older
    # A copy, so that dist/ and the programs there are not touched.
    sources = os.path.join(folder, f"sources-{version}")
    source_tree.copy_as(REPOSITORY, sources, version)
    place = os.path.join(folder, f"release-{version}")
    shutil.rmtree(place, ignore_errors=True)
    commit, epoch = source_tree.commit(REPOSITORY)
    targets = options.targets or config.product.targets
    return Release(
        configuration=config,
        version=version,
        commit=commit,
        epoch=epoch,
        channel_name=next(name for name, each in config.channels.items() if each.updates),
        targets=targets,
        folder=place,
        keys=keys,
        state=State.open(place, version=version, commit=commit),
        publisher=Publisher(config.publish, version=version),
        log=log,
        sources=sources,
        files=os.path.abspath(files) if files else "",
        rehearsal=True,
    )


def _install(release: Release, log: Callable[[str], None]) -> str:
    """Install with the published script, as a user on this machine would.

    Returns:
        The output of the installed program's ``--version``; empty if no program of this release is
        for this machine, or if it has no program to download with.

    Raises:
        ReleaseFailure: The installation failed.
    """
    if runners.own_target() not in release.targets:
        log("install.sh: not tested: none of these programs is for this machine")
        return ""
    if not any(map(commands.is_installed, _DOWNLOADERS)):
        log(f"install.sh: not tested: it needs {' or '.join(_DOWNLOADERS)}")
        return ""
    address = f"{release.regions[0].folder_address}{release.channel.pointers}/install.sh"
    with tempfile.TemporaryDirectory(prefix="awstoe-install-") as folder:
        script = os.path.join(folder, "install.sh")
        get = next(words for name, words in _DOWNLOADERS.items() if commands.is_installed(name))
        commands.run([*get, script, address])
        target = os.path.join(folder, "bin")
        commands.run(["sh", script, "--directory", target], seconds=120)
        program = os.path.join(target, release.configuration.product.name)
        shown_version = commands.run([program, "--version"]).strip()
        commands.run(["sh", script, "--directory", target, "--uninstall"])
        if os.path.exists(program):
            raise ReleaseFailure(f"install.sh --uninstall did not remove {program}")
    log(f"install.sh: installed and uninstalled: {shown_version}")
    return shown_version


class RegionVerdict(NamedTuple):
    """What a user would have got from a region."""

    signatures: bool
    promoted: bool
    updates: Mapping[str, Proof]
    """The updates that worked, by target."""


class Result(NamedTuple):
    """What users would have got."""

    version: str
    installed: str
    targets: Sequence[str]
    not_updated: Mapping[str, Mapping[str, str]]
    """The updates that failed, by target and region."""
    regions: Mapping[str, RegionVerdict]
    minutes: Mapping[str, float]
    """How long each step took."""

    def as_json(self) -> dict[str, object]:
        """Return the result as it is in result.json."""
        return {
            "version": self.version,
            "installed": self.installed,
            "targets": list(self.targets),
            "notUpdated": self.not_updated,
            "regions": {
                name: {
                    **verdict._asdict(),
                    "updates": {target: each._asdict() for target, each in verdict.updates.items()},
                }
                for name, verdict in self.regions.items()
            },
            "minutes": self.minutes,
        }


def _result(release: Release, installed: str) -> Result:
    """Return what a user would have got, from the results of the steps."""
    verified = release.state.regions("verify-published")
    promoted = release.state.regions("promote")
    proofs = Proofs.of(release.state)
    missing = RegionRecord(passed=False)
    return Result(
        version=release.version,
        installed=installed,
        targets=release.targets,
        not_updated=proofs.not_updated,
        regions={
            region.name: RegionVerdict(
                signatures=verified.get(region.name, missing).passed,
                promoted=promoted.get(region.name, missing).passed,
                updates=proofs.regions.get(region.name, {}),
            )
            for region in release.regions
        },
        minutes={name: round(release.state.seconds(name) / 60, 2) for name in pipeline.NAMES},
    )


def as_table(result: Result) -> str:
    """Return a table of regions and targets: the signatures' verdict and the proven update."""
    rows = []
    for name, verdict in result.regions.items():
        word = "good" if verdict.signatures and verdict.promoted else "BAD"
        cells = [f"{word}, {_update(result, name, target)}" for target in result.targets]
        rows.append([name, *cells])
    return tables.text(["region", *result.targets], rows)


def _update(result: Result, region: str, target: str) -> str:
    """Return what is known of a target's update in a region, in a few words."""
    if proof := result.regions[region].updates.get(target):
        return f"{proof.before} -> {proof.after} -> {proof.back}"
    if region in result.not_updated.get(target, {}):
        return "NOT UPDATED"
    return "same files"
