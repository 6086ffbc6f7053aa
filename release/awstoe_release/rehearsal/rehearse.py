"""``make release-rehearsal``: a whole release on this machine, as real as it can be had there.

Throw-away keys; one bucket for each region at an S3-speaking server of our own; two versions, one
after the other through all steps, so that programs of the first update themselves to the second. It
ends with what a user would have got: region by region, target by target.
"""

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from awstoe.trust import release_trust
from awstoe.update import local_metadata
from awstoe_release import configuration, pipeline, programs, runners, source_tree, state, tables
from awstoe_release.configuration import FOLDER, Configuration
from awstoe_release.failure import ReleaseFailure
from awstoe_release.publishing import Publisher
from awstoe_release.rehearsal.client import S3Server
from awstoe_release.rehearsal.server import ACCOUNT
from awstoe_release.release import REPOSITORY, Release
from awstoe_release.state import State
from awstoe_signing.keys import ceremony
from awstoe_signing.keys.directory import KeyDirectory

_DAYS: Final = 1095
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
_SECOND_HAND: Final = "the older version is only there to update itself"


class Wish(NamedTuple):
    """What somebody wants to rehearse."""

    out: str
    """The folder for everything."""
    targets: tuple[str, ...] = ()
    """Some targets; all when empty."""
    files: str = ""
    """A folder with finished programs; they are built when empty."""
    older: str = ""
    """The same of an older version."""
    without: tuple[str, ...] = ()
    """Steps to leave out."""
    overrides: tuple[str, ...] = ()
    """``section.key=value`` for the configuration."""
    folder: str = FOLDER
    """Where release.toml and regions.toml lie."""


def run(wish: Wish, say: Callable[[str], None]) -> int:
    """Rehearse; gives the exit code.

    Raises:
        ReleaseFailure: A step failed.
    """
    started = time.monotonic()
    folder = os.path.join(os.path.abspath(wish.out), "rehearsal")
    with state.locked(folder), S3Server() as server:
        config = _configuration(wish, server)
        server.reset(config)
        os.environ.update(_CREDENTIALS)
        for name in _NOT_OURS:
            os.environ.pop(name, None)
        keys = _keys(folder, say)
        _forget(keys)
        version = source_tree.version(REPOSITORY)
        before = source_tree.older(version)
        say(f"== {before}: the version that is there already")
        first = _prepare(wish, config, folder, keys, before, say)
        left_out = dict.fromkeys(("inspect", "conformance", "announce"), _SECOND_HAND)
        failed = set(pipeline.run(first, first.state, without=left_out))
        say(f"\n== {version}: the version that is released")
        second = _prepare(wish, config, folder, keys, version, say)
        # As published, with Windows' signature: that is what users have.
        second = second._replace(older=os.path.join(first.tree, before))
        wanted = dict.fromkeys(wish.without, "asked for with --without")
        failed |= set(pipeline.run(second, second.state, without=wanted))
        _forget(keys)
        say("")
        installed = _install(second, say)
        result = _result(second, installed)
        state.write_json(os.path.join(folder, "result.json"), result)
        say(as_table(result))
        say(f"rehearsed {before} and {version} in {time.monotonic() - started:.0f} s")
    if failed:
        say(f"failed in {', '.join(sorted(failed))}")
    return 1 if failed else 0


def _configuration(wish: Wish, server: S3Server) -> Configuration:
    """What is in force, with everything that goes to AWS pointed at the server."""
    return configuration.load(
        folder=wish.folder,
        overrides=[
            *wish.overrides,
            f"publish.endpoint={server.endpoint}",
            f"publish.account={ACCOUNT}",
            f"publish.url={server.endpoint}/{{bucket}}/{{key}}",
            "signing.timestamp_server=",
        ],
    )


def _keys(folder: str, say: Callable[[str], None]) -> str:
    """Throw-away keys; those of the last rehearsal when they are there."""
    place = os.path.join(folder, "keys")
    # What programs remember of updates goes by this address. A rehearsal's must be its own: real
    # programs on this machine are not to be confused.
    address = f"https://{secrets.token_hex(8)}{_NOWHERE}"
    KeyDirectory(place, ceremony.REHEARSAL._replace(url=address))
    keys = ceremony.prepare(place)
    ceremony.complete(keys, now=int(time.time()), days=_DAYS, say=lambda text: say(f"  {text}"))
    return place


def _forget(keys: str) -> None:
    """Remove what this rehearsal's programs remember: the next one begins at the first version.

    Run by root they do that outside their home (``awstoe.update.local_metadata``).
    """
    trust = release_trust.read(os.path.join(keys, "trust"))
    if trust is not None and trust.url.endswith(_NOWHERE):
        shutil.rmtree(local_metadata.folder_for(trust.url), ignore_errors=True)


def _prepare(
    wish: Wish,
    config: Configuration,
    folder: str,
    keys: str,
    version: str,
    say: Callable[[str], None],
) -> Release:
    """One of the two releases, begun anew: the server has forgotten the last rehearsal."""
    files = wish.files if version == source_tree.version(REPOSITORY) else wish.older
    # Copies, so that dist/ and what is built there by hand are left alone.
    sources = os.path.join(folder, f"sources-{version}")
    source_tree.copy_as(REPOSITORY, sources, version)
    place = os.path.join(folder, f"release-{version}")
    shutil.rmtree(place, ignore_errors=True)
    commit, epoch = source_tree.commit(REPOSITORY)
    targets = wish.targets or config.product.targets
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
        say=say,
        sources=sources,
        files=os.path.abspath(files) if files else "",
        rehearsal=True,
    )


def _install(release: Release, say: Callable[[str], None]) -> str:
    """Install with the published script, as a user on this machine would; gives what was said.

    That is nothing when no program of this release is for this machine, or when it has none that
    downloads.

    Raises:
        ReleaseFailure: It does not install.
    """
    if runners.own_target() not in release.targets:
        say("install.sh: not tried: none of these programs is for this machine")
        return ""
    if not any(map(programs.is_there, _DOWNLOADERS)):
        say(f"install.sh: not tried: it needs one of {', '.join(_DOWNLOADERS)}")
        return ""
    address = f"{release.regions[0].folder_address}{release.channel.pointers}/install.sh"
    with tempfile.TemporaryDirectory(prefix="awstoe-install-") as folder:
        script = os.path.join(folder, "install.sh")
        get = next(words for name, words in _DOWNLOADERS.items() if programs.is_there(name))
        programs.output_of([*get, script, address])
        target = os.path.join(folder, "bin")
        programs.output_of(["sh", script, "--directory", target], seconds=120)
        program = os.path.join(target, release.configuration.product.name)
        told_version = programs.output_of([program, "--version"]).strip()
        programs.output_of(["sh", script, "--directory", target, "--uninstall"])
        if os.path.exists(program):
            raise ReleaseFailure(f"install.sh --uninstall leaves {program} there")
    say(f"install.sh: installed and removed again: {told_version}")
    return told_version


def _result(release: Release, installed: str) -> dict[str, Any]:
    """What a user would have got, from the results of the steps."""
    verified = release.state.result("verify-published").get("regions", {})
    promoted = release.state.result("promote").get("regions", {})
    updates = release.state.result("prove-update")
    proofs = updates.get("regions", {})
    return {
        "version": release.version,
        "installed": installed,
        "targets": list(release.targets),
        "notUpdated": updates.get("notUpdated", {}),
        "regions": {
            region.name: {
                "signatures": bool(verified.get(region.name, {}).get("passed")),
                "promoted": bool(promoted.get(region.name, {}).get("passed")),
                "updates": proofs.get(region.name, {}),
            }
            for region in release.regions
        },
        "minutes": {name: round(release.state.seconds(name) / 60, 2) for name in pipeline.NAMES},
    }


def as_table(result: Mapping[str, Any]) -> str:
    """Region by target: the signatures' verdict, and the update that was proven there."""
    targets: Sequence[str] = result["targets"]
    rows = []
    for name, row in result["regions"].items():
        verdict = "good" if row["signatures"] and row["promoted"] else "BAD"
        cells = [f"{verdict}, {_update(result, name, target)}" for target in targets]
        rows.append([name, *cells])
    return tables.text(["region", *targets], rows)


def _update(result: Mapping[str, Any], region: str, target: str) -> str:
    """What is known of a target's update in a region, in a few words."""
    if proof := result["regions"][region]["updates"].get(target):
        return f"{proof['before']} -> {proof['after']} -> {proof['back']}"
    if region in result["notUpdated"].get(target, {}):
        return "NOT UPDATED"
    return "same files"
