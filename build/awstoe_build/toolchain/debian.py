"""Downloads packages of Debian 13 (trixie) with apt, without changing the machine's packages.

The mirror comes from the machine's own apt configuration, and apt checks the archive's signatures
with Debian's keys. apt keeps its state for this in the layer's scratch folder.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from awstoe_build import commands
from awstoe_build.failure import BuildFailure
from awstoe_build.toolchain.layers import LayerBuild, sha256_of

SUITE: Final = "trixie"
KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"
_NETWORK_HINT: Final = "check the network connection; downloads are kept, so it is needed only once"


class Package(NamedTuple):
    """One binary package, pinned."""

    name: str
    architecture: str
    """Debian's name: amd64, i386, arm64, all."""
    version: str
    sha256: str


def fetch_source(build: LayerBuild, name: str, version: str, files: Mapping[str, str]) -> None:
    """Download a source package, and move its pinned files into the layer.

    Args:
        build: The build of the layer.
        name: Debian's name.
        version: Debian's version.
        files: The SHA-256 of every file that the layer needs, by name.

    Raises:
        BuildFailure: The mirror does not have this version, or a file has another hash.
    """
    apt, folder = _update_package_lists(build, "deb-src", ())
    environment = commands.network_environment()
    listed = commands.output_of(["apt-cache", *apt, "showsrc", name], environment=environment)
    offered = [line.split()[1] for line in listed.splitlines() if line.startswith("Version:")]
    if version not in offered:
        raise _version_not_offered(name, version, offered)
    command = ("apt-get", *apt, "source", "--download-only", f"{name}={version}")
    build.run(*command, folder=folder, environment=environment, hint=_NETWORK_HINT)
    for file, sha256 in files.items():
        path = os.path.join(folder, file)
        _check(path, sha256, f"{name}={version}")
        shutil.move(path, os.path.join(build.content, file))


def fetch_packages(
    build: LayerBuild, packages: Sequence[Package], dependencies: Sequence[str] = ()
) -> list[str]:
    """Download binary packages into the scratch folder, and return their paths.

    Args:
        build: The build of the layer.
        packages: The packages that determine the result. Their versions and hashes are checked.
        dependencies: Names of packages that these need to run on this machine, such as shared
            libraries. They are not pinned: the release's current version, which changes with
            security updates, is good enough, because nothing of it gets into the result.

    Raises:
        BuildFailure: The mirror does not have a version, or a file has another hash.
    """
    foreign = sorted({each.architecture for each in packages} - {"all", "amd64"})
    apt, folder = _update_package_lists(build, "deb", foreign)
    environment = commands.network_environment()
    pinned = []
    for each in packages:
        name = f"{each.name}:{each.architecture}" if each.architecture in foreign else each.name
        listed = commands.output_of(["apt-cache", *apt, "show", name], environment=environment)
        offered = [line.split()[1] for line in listed.splitlines() if line.startswith("Version:")]
        if each.version not in offered:
            raise _version_not_offered(name, each.version, offered)
        pinned.append(f"{name}={each.version}")
    command = ("apt-get", *apt, "download", *pinned, *dependencies)
    build.run(*command, folder=folder, environment=environment, hint=_NETWORK_HINT)
    for each in packages:
        # In file names, apt escapes the colon after a version's epoch.
        version = each.version.replace(":", "%3a")
        path = os.path.join(folder, f"{each.name}_{version}_{each.architecture}.deb")
        _check(path, each.sha256, f"{each.name}={each.version}")
    return sorted(
        os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".deb")
    )


def unpack(build: LayerBuild, packages: Sequence[str], folder: str) -> None:
    """Unpack the files of binary packages into one folder, without their scripts.

    Raises:
        BuildFailure: A package cannot be unpacked.
    """
    environment = commands.clean_environment()
    for path in packages:
        build.run(
            *("dpkg-deb", "--extract", path, folder),
            folder=build.scratch,
            environment=environment,
        )


def _check(path: str, sha256: str, package: str) -> None:
    """Compare a file with its pin.

    Raises:
        BuildFailure: The file is missing, or has another hash.
    """
    if not os.path.exists(path):
        raise BuildFailure(
            f"{package} does not contain {os.path.basename(path)}",
            hint=f"update the pins of {package.partition('=')[0]} in build/awstoe_build/toolchain",
        )
    found = sha256_of(path)
    if found != sha256:
        raise BuildFailure(
            f"{os.path.basename(path)} has the SHA-256 {found}, expected {sha256}",
            hint="do not use the file: either the mirror or the pin is wrong",
        )


def _version_not_offered(name: str, version: str, offered: Sequence[str]) -> BuildFailure:
    return BuildFailure(
        f"Debian {SUITE} does not have {name} {version}; it has {', '.join(offered) or 'none'}",
        hint=(
            "update the version and its hashes in build/awstoe_build/toolchain"
            if offered
            else "check the network connection and the machine's apt configuration"
        ),
    )


def _update_package_lists(
    build: LayerBuild, kind: str, foreign: Sequence[str]
) -> tuple[list[str], str]:
    """Download the package lists. Return apt's options and an empty folder for downloads."""
    apt = _apt_options(build, kind, foreign)
    folder = os.path.join(build.scratch, "download")
    os.makedirs(folder)
    update = ("apt-get", *apt, "update")
    environment = commands.network_environment()
    build.run(*update, folder=folder, environment=environment, hint=_NETWORK_HINT)
    return apt, folder


def _apt_options(build: LayerBuild, kind: str, foreign: Sequence[str]) -> list[str]:
    """Return options that make apt use the release, with its state in the scratch folder.

    Raises:
        BuildFailure: This machine's apt has no Debian mirror configured.
    """
    listed = commands.output_of(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        environment=commands.network_environment(),
    )
    mirrors = [line for line in listed.splitlines() if line.rstrip("/").endswith("/debian")]
    if not mirrors or not os.path.exists(KEYRING):
        raise BuildFailure(
            "this machine's apt has no Debian mirror configured, or Debian's keys are missing",
            hint="build on Debian: install debian-archive-keyring and run 'apt-get update' first",
        )
    state = os.path.join(build.scratch, "apt")
    os.makedirs(os.path.join(state, "lists", "partial"))
    os.makedirs(os.path.join(state, "cache", "archives", "partial"))
    source_list = os.path.join(state, "sources.list")
    with open(source_list, "w", encoding="utf-8") as stream:
        stream.write(f"{kind} [signed-by={KEYRING}] {mirrors[0]} {SUITE} main\n")
    status = os.path.join(state, "status")
    with open(status, "w", encoding="utf-8"):
        pass
    options = [
        ("Dir::Etc::sourcelist", source_list),
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
