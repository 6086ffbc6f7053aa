"""What users of other tools type, and what to type here: hints for unknown options and commands.

Only names that awstoe does not have are listed; a test checks that. Only a mistake imports this.
"""

from collections.abc import Mapping
from typing import Final

_TRACE: Final = "use --trace (-t) to print the log on standard error, too"
_ONE_FORM: Final = "remove it: standard output is always one JSON object"
_DRY_RUN: Final = "to check documents without running them, use 'awstoe validate'"
_PARAMETERS: Final = "use --parameters NAME=VALUE"
_DOCUMENTS: Final = "name documents without an option, or with --documents"
_NO_QUESTIONS: Final = "remove it: awstoe never asks for confirmation"
_NO_AWS: Final = "remove it: this version of awstoe does not use AWS"
_QUIET: Final = "use --quiet"
_VERSION: Final = "use 'awstoe --version'"


def _each(names: str, hint: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), hint)


_VERBOSE: Final = "-vv -vvv -vvvv -vvvvv --verbose --verbosity --debug --log-level --loglevel -D -x"

_EVERYWHERE: Final = {
    **_each("-q --silent -s", _QUIET),
    **_each("-V", _VERSION),
    **_each("--no-colour --nocolor --no-ansi --colour --color", "use --no-color, or set NO_COLOR"),
    **_each("-? /? /h -help", "use --help"),
    **_each("-y --yes --assume-yes --auto-approve --force --non-interactive", _NO_QUESTIONS),
}

_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "run": {
        **_each(_VERBOSE, _TRACE),
        **_each("--dry-run --dryrun -n --check --noop --no-op --syntax-check --plan", _DRY_RUN),
        **_each("--diff --validate --lint", _DRY_RUN),
        **_each(
            "-o --output --output-dir --out --log --log-file --logs",
            "standard output is always one JSON object; to choose where the log folder is made,"
            " use --log-directory",
        ),
        **_each("--json --format --output-format", _ONE_FORM),
        **_each("-f --file --files --playbook --component --components", _DOCUMENTS),
        **_each("-e --extra-vars --set --var --vars --param --params -P --parameter", _PARAMETERS),
        **_each("--var-file --values --parameters-file --parameter-overrides", "use --config FILE"),
        **_each("--tags --stage --stages --only", "use --phases"),
        **_each("--skip --skip-tags --exclude", "use --phases to name the phases to run"),
        **_each(
            "--platform --os --os-platforms --platforms",
            "remove it: documents run on this machine. To check them for other platforms, use"
            " 'awstoe validate --os-platforms'",
        ),
        **_each("--continue --restart", "use --resume"),
        **_each("--timeout", "set timeoutSeconds in the step"),
        **_each("--retries --retry", "set maxAttempts in the step"),
        **_each("--region --profile --role-arn", _NO_AWS),
        **_each("-S --state --state-dir", "use --state-directory"),
        **_each("--workdir --cwd --chdir -C", "change to the folder before you start awstoe"),
    },
    "validate": {
        **_each(_VERBOSE, "remove it: all problems are printed anyway"),
        **_each("-o --output --out --json --format --output-format", _ONE_FORM),
        **_each("-f --file --files --component --components", _DOCUMENTS),
        **_each("-r -R --recursive", "remove it: subfolders are included"),
        **_each("--platform --os --platforms", "use --os-platforms"),
        **_each("-W --werror --warnings-as-errors --fail-on-warnings", "use --strict"),
        **_each(
            "--parameters -p --phases -c --config",
            "remove it: documents are checked as they are; 'awstoe run' has this option",
        ),
        **_each("--region --profile --role-arn", _NO_AWS),
    },
    "actions": {
        **_each("-o --output --format --output-format", "use --json for JSON"),
        **_each("--list -l --all -a", "remove it: without a name, all actions are listed"),
        **_each("--search --grep --filter", "give the word alone: 'awstoe actions WORD'"),
    },
    "version": {
        **_each("-o --output --format --output-format", "use --json for JSON"),
        **_each("--short -v --version", _VERSION),
        **_each("--keys", "use --trust"),
    },
    "verify-signature": {
        **_each("-s --sig --signature-file", "use --signature"),
        **_each("-k --keyring --public-key --key-file", "use --key"),
        **_each("-f --file", "name the file without an option"),
        **_each("--json --format -o --output", _ONE_FORM),
        **_each("--download", "use --fetch"),
        **_each("--trust", "use --key KEYFILE"),
        **_each(_VERBOSE, "remove it: everything that is known is printed anyway"),
    },
    "self-update": {
        **_each("-n --dryrun --noop", "use --dry-run"),
        **_each("--list --available --list-versions", "use --check"),
        **_each("--to --target-version --release", "use --version"),
        **_each("--downgrade --previous --revert --undo", "use --rollback"),
        **_each("--file -f --bundle --offline --from", "use --from-file BUNDLE"),
        **_each("--mirror --repository --base-url --source --proxy", "use --url TEMPLATE"),
        **_each("--format -o --output", "use --json for JSON"),
        **_each(
            "--insecure --no-verify --skip-verify --no-check-signature",
            "remove it: there is no update without a check of the signatures",
        ),
        **_each(_VERBOSE, "remove it: every step is printed anyway"),
        **_each("--trust --key", "remove it: only the built-in release keys are used"),
    },
    "update-bundle": {
        **_each("--key --keys --keyring", "use --trust DIR"),
        **_each("--format -o --output", "use --json for JSON"),
        **_each("-f --file --from-file --bundle", "name the bundle without an option"),
        **_each(_VERBOSE, "remove it: everything that is known is printed anyway"),
    },
}

_COMMANDS: Final = {
    **_each("check lint validate-document test verify-document dry-run", "validate"),
    **_each("exec execute start apply play build resume", "run"),
    **_each("action modules module list list-actions doc docs reference", "actions"),
    **_each("update upgrade selfupdate self-upgrade rollback", "self-update"),
    **_each("verify signature check-signature", "verify-signature"),
    **_each("fetch-signature", "verify-signature --fetch"),
    **_each("bundle verify-bundle bundle-verify", "update-bundle verify"),
    **_each("info about trust", "version"),
}


def option(command: str, name: str) -> str | None:
    """Return what to do instead of using the option ``name`` of ``command``, or None."""
    return _OPTIONS.get(command, {}).get(name) or _EVERYWHERE.get(name)


def command(name: str) -> str | None:
    """Return the command that is probably meant by ``name``, or None."""
    return _COMMANDS.get(name.lower())


def commands() -> list[str]:
    """Return every listed command."""
    return list(_COMMANDS)


def options() -> list[tuple[str, str]]:
    """Return every listed option with its command; that of all commands is empty."""
    listed = [(name, option) for name, options in _OPTIONS.items() for option in options]
    return [*listed, *(("", option) for option in _EVERYWHERE)]
