"""What is built from source: pinned Debian source packages, fetched by apt, with security patches.

The packages are those of Debian's stable release trixie, whose security team mends them; each is
pinned by its version and the SHA-256 of every file. apt fetches them from the mirror that this
machine is configured for. Its own state stays in the cache folder, the machine's is not touched.
"""

import fnmatch
import os
import shutil
import sys
import tarfile
from typing import Final, NamedTuple

from awstoe_build import programs
from awstoe_build.failure import BuildFailure
from awstoe_build.layers import Recipe, Workshop, sha256_of

_SUITE: Final = "trixie"
_KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Archive(NamedTuple):
    """One file of a source package."""

    file: str
    sha256: str


class Source(NamedTuple):
    """One source package."""

    name: str
    """Debian's name."""
    version: str
    """Debian's version."""
    folder: str
    """The folder that the upstream archive unpacks to."""
    upstream: Archive
    packaging: Archive | None = None
    """Debian's part, with the patches; None where none of them is wanted."""
    patches: tuple[str, ...] = ()
    """Which patches are applied, in Debian's order, as patterns. The others adapt the package to
    Debian's layout."""


PYTHON: Final = Source(
    name="python3.13",
    version="3.13.5-2+deb13u5",
    folder="Python-3.13.5",
    upstream=Archive(
        "python3.13_3.13.5.orig.tar.xz",
        "93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640",
    ),
    packaging=Archive(
        "python3.13_3.13.5-2+deb13u5.debian.tar.xz",
        "a51f456e654ce2c9b40cc1db8005e5041cdb0b2c3aa96ab0871c49fe95280366",
    ),
    patches=("CVE-*", "ssl-*", "dict-use-after-free.patch", "traverse-managed-dicts.patch"),
)
OPENSSL: Final = Source(
    name="openssl",
    version="3.5.7-1~deb13u2",
    folder="openssl-3.5.7",
    upstream=Archive(
        "openssl_3.5.7.orig.tar.gz",
        "a8c0d28a529ca480f9f36cf5792e2cd21984552a3c8e4aa11a24aa31aeac98e8",
    ),
    packaging=Archive(
        "openssl_3.5.7-1~deb13u2.debian.tar.xz",
        "593a47654ead460a3b609503733f80bef552ff0802799d3b47784faacc50809f",
    ),
    patches=("[A-Z]*", "conf-*", "ssl-*"),
)
ZLIB: Final = Source(
    name="zlib",
    version="1:1.3.dfsg+really1.3.1-1",
    folder="zlib-1.3.1",
    upstream=Archive(
        "zlib_1.3.dfsg+really1.3.1.orig.tar.gz",
        "60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb",
    ),
)
BZIP2: Final = Source(
    name="bzip2",
    version="1.0.8-6",
    folder="bzip2-1.0.8",
    upstream=Archive(
        "bzip2_1.0.8.orig.tar.gz",
        "ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269",
    ),
)
XZ: Final = Source(
    name="xz-utils",
    version="5.8.1-1+deb13u1",
    folder="xz-5.8.1",
    upstream=Archive(
        "xz-utils_5.8.1.orig.tar.xz",
        "0b54f79df85912504de0b14aec7971e3f964491af1812d83447005807513cd9e",
    ),
    packaging=Archive(
        "xz-utils_5.8.1-1+deb13u1.debian.tar.xz",
        "0e48427971a9ce674ddbba26e34ac1dd009c683f3816ce17852d99dc7b0a8e46",
    ),
    patches=("*",),
)
LIBFFI: Final = Source(
    name="libffi",
    version="3.4.8-2",
    folder="libffi-3.4.8",
    upstream=Archive(
        "libffi_3.4.8.orig.tar.gz",
        "cbb7f0b3b095dc506387ec1e35b891bfb4891d05b90a495bc69a10f2293f80ff",
    ),
)
LIBYAML: Final = Source(
    name="libyaml",
    version="0.2.5-2",
    folder="libyaml-0.2.5",
    upstream=Archive(
        "libyaml_0.2.5.orig.tar.gz",
        "fa240dbf262be053f3898006d502d514936c818e422afdcf33921c63bed9bf2e",
    ),
)

SOURCES: Final = (PYTHON, OPENSSL, ZLIB, BZIP2, XZ, LIBFFI, LIBYAML)


def recipe(source: Source) -> Recipe:
    """The layer with the archives of ``source``."""
    files = _archives(source)
    return Recipe(
        name=f"source-{source.name}",
        module=sys.modules[__name__],
        inputs={archive.file: archive.sha256 for archive in files},
        needs=(),
        build=lambda workshop: _fetch(source, workshop),
    )


def unpack(source: Source, workshop: Workshop, folder: str) -> str:
    """Unpack and patch a source below ``folder``; gives the source's folder.

    Raises:
        BuildFailure: A patch does not fit.
    """
    layer = workshop.needs[f"source-{source.name}"]
    _extract(os.path.join(layer, source.upstream.file), folder)
    place = os.path.join(folder, source.folder)
    if source.packaging:
        debian = os.path.join(folder, "packaging-" + source.name)
        _extract(os.path.join(layer, source.packaging.file), debian)
        patches = os.path.join(debian, "debian", "patches")
        for name in chosen_patches(os.path.join(patches, "series"), source.patches):
            workshop.run(
                *("patch", "-p1", "--silent", "--input", os.path.join(patches, name)),
                folder=place,
                environment=programs.clean_environment(),
                hint=f"{name} of {source.name} {source.version} does not fit: see sources.py",
            )
    return place


def chosen_patches(series: str, patterns: tuple[str, ...]) -> list[str]:
    """The patches of Debian's ``series`` file that fit one of the patterns, in its order.

    Raises:
        BuildFailure: A pattern fits none: the package has changed.
    """
    with open(series, encoding="utf-8") as stream:
        lines = [line.split("#")[0].split() for line in stream]
    names = [words[0] for words in lines if words]
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise BuildFailure(
                f"no patch in {series} fits {pattern!r}", hint="bring sources.py up to date"
            )
    return [name for name in names if any(fnmatch.fnmatchcase(name, each) for each in patterns)]


def _archives(source: Source) -> list[Archive]:
    return [source.upstream, *([source.packaging] if source.packaging else [])]


def _fetch(source: Source, workshop: Workshop) -> None:
    """Let apt fetch a source package, and keep the pinned files of it."""
    apt = _apt_options(workshop)
    environment = programs.network_environment()
    folder = os.path.join(workshop.scratch, "download")
    os.makedirs(folder)
    offline = "the network is needed once; what has been fetched is kept"
    workshop.run("apt-get", *apt, "update", folder=folder, environment=environment, hint=offline)
    listed = programs.output_of(
        ["apt-cache", *apt, "showsrc", source.name], environment=environment
    )
    offered = [line.split()[1] for line in listed.splitlines() if line.startswith("Version:")]
    if source.version not in offered:
        raise BuildFailure(
            f"Debian {_SUITE} has {source.name} {', '.join(offered) or 'in no version'}"
            f" and no longer {source.version}",
            hint=(
                "if there is nothing at all, the network may be missing; otherwise bring the"
                " version and its hashes in sources.py up to date"
            ),
        )
    wanted = f"{source.name}={source.version}"
    workshop.run(
        *("apt-get", *apt, "source", "--download-only", wanted),
        folder=folder,
        environment=environment,
        hint=offline,
    )
    for archive in _archives(source):
        path = os.path.join(folder, archive.file)
        if not os.path.exists(path):
            raise BuildFailure(f"{wanted} came without {archive.file}", hint="see sources.py")
        found = sha256_of(path)
        if found != archive.sha256:
            raise BuildFailure(
                f"{archive.file} has the SHA-256 {found}, expected {archive.sha256}",
                hint="do not use it: either the mirror or sources.py is wrong",
            )
        shutil.move(path, os.path.join(workshop.content, archive.file))


def _apt_options(workshop: Workshop) -> list[str]:
    """Options that make apt work on the pinned suite, with all of its state in the scratch folder.

    Raises:
        BuildFailure: This machine's apt knows no Debian mirror.
    """
    listed = programs.output_of(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        environment=programs.network_environment(),
    )
    mirrors = [line for line in listed.splitlines() if line.rstrip("/").endswith("/debian")]
    if not mirrors or not os.path.exists(_KEYRING):
        raise BuildFailure(
            "this machine's apt knows no Debian mirror, or not Debian's keys",
            hint="build on Debian, after 'apt-get update' and with debian-archive-keyring",
        )
    state = os.path.join(workshop.scratch, "apt")
    os.makedirs(os.path.join(state, "lists", "partial"))
    os.makedirs(os.path.join(state, "cache", "archives", "partial"))
    listing = os.path.join(state, "sources.list")
    with open(listing, "w", encoding="utf-8") as stream:
        stream.write(f"deb-src [signed-by={_KEYRING}] {mirrors[0]} {_SUITE} main\n")
    options = {
        "Dir::Etc::sourcelist": listing,
        "Dir::Etc::sourceparts": "/nonexistent",
        "Dir::State::lists": os.path.join(state, "lists"),
        "Dir::Cache": os.path.join(state, "cache"),
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "APT::Update::Error-Mode": "any",
    }
    return ["--quiet", *(word for pair in options.items() for word in ("-o", "=".join(pair)))]


def _extract(archive: str, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    with tarfile.open(archive) as stream:
        stream.extractall(folder, filter="tar")
