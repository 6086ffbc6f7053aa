"""Fetches packages of Debian's stable release trixie by apt, without touching the machine's own.

Which mirror is the machine's business, by its apt configuration; apt checks the archive's
signatures with Debian's keys. apt's own state for this lies in the layer's scratch folder.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from awstoe_build import programs
from awstoe_build.failure import BuildFailure
from awstoe_build.toolchain.layers import LayerBuild, sha256_of

SUITE: Final = "trixie"
KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"
_OFFLINE: Final = "the network is needed once; what has been fetched is kept"


class Package(NamedTuple):
    """One binary package, pinned."""

    name: str
    architecture: str
    """Debian's name: amd64, i386, arm64, all."""
    version: str
    sha256: str


def fetch_source(workshop: LayerBuild, name: str, version: str, files: Mapping[str, str]) -> None:
    """Let apt fetch a source package, and keep the pinned files of it in the layer.

    Args:
        workshop: The layer that is being built.
        name: Debian's name.
        version: Debian's version.
        files: The SHA-256 of every file that is kept, by name.

    Raises:
        BuildFailure: The mirror does not have this version, or a file with another hash.
    """
    apt, folder = _prepare(workshop, "deb-src", ())
    environment = programs.network_environment()
    listed = programs.output_of(["apt-cache", *apt, "showsrc", name], environment=environment)
    offered = [line.split()[1] for line in listed.splitlines() if line.startswith("Version:")]
    if version not in offered:
        raise _superseded(name, version, offered)
    command = ("apt-get", *apt, "source", "--download-only", f"{name}={version}")
    workshop.run(*command, folder=folder, environment=environment, hint=_OFFLINE)
    for file, sha256 in files.items():
        path = os.path.join(folder, file)
        _check(path, sha256, f"{name}={version}")
        shutil.move(path, os.path.join(workshop.content, file))


def fetch_packages(
    workshop: LayerBuild, packages: Sequence[Package], companions: Sequence[str] = ()
) -> list[str]:
    """Let apt fetch binary packages into the scratch folder; gives their paths.

    Args:
        workshop: The layer that is being built.
        packages: What decides about the result: versions and hashes are checked.
        companions: Names of what the packages need to run here on amd64, such as shared libraries:
            the release's current version, which changes with security updates, is good enough, as
            nothing of it gets into the result.

    Raises:
        BuildFailure: The mirror does not have a version, or has a file with another hash.
    """
    foreign = sorted({each.architecture for each in packages} - {"all", "amd64"})
    apt, folder = _prepare(workshop, "deb", foreign)
    environment = programs.network_environment()
    wanted = []
    for each in packages:
        name = f"{each.name}:{each.architecture}" if each.architecture in foreign else each.name
        listed = programs.output_of(["apt-cache", *apt, "show", name], environment=environment)
        offered = [line.split()[1] for line in listed.splitlines() if line.startswith("Version:")]
        if each.version not in offered:
            raise _superseded(name, each.version, offered)
        wanted.append(f"{name}={each.version}")
    command = ("apt-get", *apt, "download", *wanted, *companions)
    workshop.run(*command, folder=folder, environment=environment, hint=_OFFLINE)
    for each in packages:
        # apt writes the colon of a version's epoch in this way into a file's name.
        version = each.version.replace(":", "%3a")
        path = os.path.join(folder, f"{each.name}_{version}_{each.architecture}.deb")
        _check(path, each.sha256, f"{each.name}={each.version}")
    return sorted(
        os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".deb")
    )


def unpack(workshop: LayerBuild, packages: Sequence[str], folder: str) -> None:
    """Unpack the files of binary packages into one folder, without their scripts.

    Raises:
        BuildFailure: One cannot be unpacked.
    """
    environment = programs.clean_environment()
    for path in packages:
        workshop.run(
            *("dpkg-deb", "--extract", path, folder),
            folder=workshop.scratch,
            environment=environment,
        )


def _check(path: str, sha256: str, package: str) -> None:
    """Compare a file with its pin.

    Raises:
        BuildFailure: It did not come, or it is another.
    """
    if not os.path.exists(path):
        raise BuildFailure(
            f"{package} came without {os.path.basename(path)}", hint="see the pins of it"
        )
    found = sha256_of(path)
    if found != sha256:
        raise BuildFailure(
            f"{os.path.basename(path)} has the SHA-256 {found}, expected {sha256}",
            hint="do not use it: either the mirror or the pin is wrong",
        )


def _superseded(name: str, version: str, offered: Sequence[str]) -> BuildFailure:
    return BuildFailure(
        f"Debian {SUITE} has {name} {', '.join(offered) or 'in no version'}"
        f" and no longer {version}",
        hint=(
            "if there is nothing at all, the network may be missing; otherwise bring the"
            " version and its hashes in build/awstoe_build up to date"
        ),
    )


def _prepare(workshop: LayerBuild, kind: str, foreign: Sequence[str]) -> tuple[list[str], str]:
    """Have the package lists; gives apt's options and an empty folder for downloads."""
    apt = _options(workshop, kind, foreign)
    folder = os.path.join(workshop.scratch, "download")
    os.makedirs(folder)
    update = ("apt-get", *apt, "update")
    environment = programs.network_environment()
    workshop.run(*update, folder=folder, environment=environment, hint=_OFFLINE)
    return apt, folder


def _options(workshop: LayerBuild, kind: str, foreign: Sequence[str]) -> list[str]:
    """Options that make apt work on the release, with all of its state in the scratch folder.

    Raises:
        BuildFailure: This machine's apt knows no Debian mirror.
    """
    listed = programs.output_of(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        environment=programs.network_environment(),
    )
    mirrors = [line for line in listed.splitlines() if line.rstrip("/").endswith("/debian")]
    if not mirrors or not os.path.exists(KEYRING):
        raise BuildFailure(
            "this machine's apt knows no Debian mirror, or not Debian's keys",
            hint="build on Debian, after 'apt-get update' and with debian-archive-keyring",
        )
    state = os.path.join(workshop.scratch, "apt")
    os.makedirs(os.path.join(state, "lists", "partial"))
    os.makedirs(os.path.join(state, "cache", "archives", "partial"))
    listing = os.path.join(state, "sources.list")
    with open(listing, "w", encoding="utf-8") as stream:
        stream.write(f"{kind} [signed-by={KEYRING}] {mirrors[0]} {SUITE} main\n")
    status = os.path.join(state, "status")
    with open(status, "w", encoding="utf-8"):
        pass
    options = [
        ("Dir::Etc::sourcelist", listing),
        ("Dir::Etc::sourceparts", "/nonexistent"),
        ("Dir::State::lists", os.path.join(state, "lists")),
        ("Dir::State::status", status),
        ("Dir::Cache", os.path.join(state, "cache")),
        ("APT::Sandbox::User", "root"),
        ("Acquire::Languages", "none"),
        ("APT::Update::Error-Mode", "any"),
        ("APT::Architecture", "amd64"),
        *(("APT::Architectures::", each) for each in ("amd64", *foreign)),
    ]
    return ["--quiet", *(word for pair in options for word in ("-o", "=".join(pair)))]
