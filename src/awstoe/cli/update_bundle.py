"""``awstoe update-bundle verify``: checks a bundle of releases before it is copied elsewhere."""

from collections.abc import Sequence
from typing import Final

from awstoe.cli.options import Parser
from awstoe.errors import AwstoeError, UsageError
from awstoe.reporting.console import Console
from awstoe.reporting.progress import printable
from awstoe.trust import release_trust
from awstoe.update import bundle_check
from awstoe.update.errors import Refused

_EXAMPLES: Final = """\
  awstoe update-bundle verify awstoe-1.4.0.bundle
  awstoe update-bundle verify awstoe-1.4.0.bundle --trust keys/trust --json"""

_VERB: Final = "verify"


def run(arguments: Sequence[str], console: Console) -> int:
    """Check a bundle, and return the exit code.

    Raises:
        AwstoeError: It cannot be used.
    """
    parser = Parser(
        "update-bundle",
        "Check that 'awstoe self-update --from-file' would accept a bundle.",
        _EXAMPLES,
    )
    parser.add_argument("action", metavar=_VERB, help="the only action")
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle file")
    parser.add_argument("--trust", metavar="DIR", help="use the release keys in this folder")
    parser.flag("--json", help="print one JSON object")
    words = [word for word in arguments if not word.startswith("-")]
    if len(words) == 1 and "-h" not in arguments and "--help" not in arguments:
        raise _incomplete("FILE" if words[0] == _VERB else words[0])
    options = parser.read(arguments)
    if options.action != _VERB:
        raise _incomplete(options.bundle)
    console.quiet = bool(options.quiet)
    try:
        bundle = bundle_check.check(options.bundle, _trust(options.trust))
    except AwstoeError as error:
        if options.json:
            console.result({"verdict": "bad", "error": error.message, "exitCode": error.exit_code})
        raise
    if options.json:
        console.result(
            {
                "verdict": "good",
                "validUntil": bundle.expires,
                "releases": [
                    {
                        "version": str(each.version),
                        "target": f"{each.platform}/{each.architecture}",
                        "sha256": each.sha256,
                        "withdrawn": each.withdrawn or None,
                    }
                    for each in bundle.releases
                ],
            }
        )
        return 0
    for each in bundle.releases:
        withdrawn = f" (withdrawn: {each.withdrawn})" if each.withdrawn else ""
        console.text(f"good  {each.path}{printable(withdrawn)}\n")
    console.text(f"{len(bundle.releases)} programs; valid until {bundle.expires}\n")
    return 0


def _incomplete(bundle: str) -> UsageError:
    return UsageError(
        f"awstoe update-bundle: expected '{_VERB}' and a bundle",
        hint=f"run: awstoe update-bundle {_VERB} {bundle}",
    )


def _trust(folder: str | None) -> release_trust.ReleaseTrust:
    trust = release_trust.read(folder) if folder else release_trust.read()
    if trust is not None:
        return trust
    if folder:
        raise UsageError(
            f"--trust: there are no release keys in {folder}",
            hint="expected trust.json, root.json and awstoe.gpg, as the key ceremony creates them",
        )
    raise Refused(
        "this build of awstoe has no release keys to check with",
        hint="use the release keys in a folder: --trust DIR",
    )
