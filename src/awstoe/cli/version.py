"""``awstoe version``: shows the version and the components of this program.

A single-file executable contains the facts that its build wrote. Elsewhere they come from the
interpreter; what it cannot know, such as the commit, is null and never guessed.
"""

import platform
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from awstoe import __version__
from awstoe.cli.options import Parser
from awstoe.host import platforms
from awstoe.host.executable import frozen
from awstoe.reporting.console import Console

if TYPE_CHECKING:
    from importlib.metadata import PackageMetadata

_EXAMPLES = """\
  awstoe version
  awstoe version --json
  awstoe version --trust"""

_UNKNOWN: Final = "-"
_LONG_LICENSE: Final = 60
"""A license field with more characters contains the text instead of the name."""

Facts = dict[str, object]


def run(arguments: Sequence[str], console: Console) -> int:
    """Print the version, and return the exit code.

    Raises:
        UsageError: The options are not valid.
        TrustError: With --trust: the keys cannot be read.
    """
    parser = Parser("version", "Show the version and the components of this program.", _EXAMPLES)
    parser.flag("--json", help="print one JSON object")
    parser.flag("--trust", help="show the built-in release keys instead")
    options = parser.read(arguments)
    if options.trust:
        from awstoe.cli import trust_report
        from awstoe.trust import release_trust

        trusted = trust_report.facts(release_trust.read())
        if options.json:
            console.result(trusted)
        else:
            console.text(trust_report.as_text(trusted))
    elif options.json:
        console.result(facts())
    else:
        console.text(as_text(facts()))
    return 0


def facts() -> Facts:
    """Return the facts by their names in ``--json``; None for those that are not known.

    Raises:
        ValueError: The facts in the executable are damaged.
    """
    built = frozen.build_facts() or {}
    return {
        "version": __version__,
        "commit": built.get("commit"),
        "buildDate": built.get("date"),
        "target": built.get("target") or _target(),
        "python": platform.python_version(),
        "openssl": built.get("openssl") or _openssl(),
        "glibcFloor": built.get("glibc_floor"),
        "executable": frozen.executable(),
        "packages": built.get("packages") or _installed_packages(),
    }


def as_text(found: Facts) -> str:
    """Format the facts as text, one per line."""
    lines = [
        f"{name:12}{_UNKNOWN if value is None else value}"
        for name, value in found.items()
        if name != "packages"
    ]
    packages = found["packages"]
    if isinstance(packages, list):
        lines += ["packages", *(_package_line(each) for each in packages)]
    return "".join(f"{line}\n" for line in lines)


def _package_line(package: dict[str, str | None]) -> str:
    license_name = package["license"] or "license not stated"
    return f"  {package['name']} {package['version']} ({license_name})"


def _target() -> str:
    bits = 64 if sys.maxsize > 2**32 else 32
    return f"{platforms.current()}/{platforms.architecture(platform.machine(), pointer_bits=bits)}"


def _openssl() -> str | None:
    """Return the version of the OpenSSL that the interpreter uses, if it has one."""
    try:
        import ssl
    except ImportError:
        return None
    return ssl.OPENSSL_VERSION


def _installed_packages() -> list[Facts] | None:
    """Return the installed packages that awstoe needs, directly or indirectly."""
    from importlib import metadata

    waiting = ["awstoe"]
    found: dict[str, Facts] = {}
    while waiting:
        name = waiting.pop()
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # not needed on this platform, or installed without its metadata
        key = _normalized(name)
        if key not in found:
            found[key] = _package(distribution.metadata)
            waiting += _needs(distribution.requires or ())
    found.pop("awstoe", None)
    return [found[key] for key in sorted(found)] or None


def _normalized(name: str) -> str:
    """Normalize a project's name as package indexes do."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _needs(requirements: Sequence[str]) -> Iterator[str]:
    """Return the names in a package's requirements, except those of optional extras."""
    for requirement in requirements:
        specification, _, marker = requirement.partition(";")
        name = re.match(r"\s*([A-Za-z0-9._-]+)", specification)
        if name and "extra" not in marker:
            yield name[1]


def _package(fields: "PackageMetadata") -> Facts:
    return {"name": fields["Name"], "version": fields["Version"], "license": _license(fields)}


def _license(fields: "PackageMetadata") -> str | None:
    """Return a package's license, from the first of three fields that states it."""
    for name in ("License-Expression", "License"):
        stated = fields[name] if name in fields else ""  # noqa: SIM401 - it has no get()
        if 0 < len(stated) <= _LONG_LICENSE:
            return stated
    classifiers = fields.get_all("Classifier") or []
    names = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License ::")]
    return ", ".join(names) or None
