"""``awstoe run``: reads the options and the configuration file, and starts the run."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from awstoe import __version__, limits
from awstoe.actions.table import ACTIONS
from awstoe.cli import parameters
from awstoe.cli.lists import comma_list, document_list
from awstoe.cli.options import Parser
from awstoe.errors import UsageError
from awstoe.host.executable import frozen
from awstoe.host.files.shell_paths import shell_path, shell_path_hint
from awstoe.reporting.console import Console
from awstoe.session.request import RequestedDocument, RunRequest
from awstoe.session.start import give_up, launch

_EXAMPLES = """\
  awstoe run hello.yml
  awstoe run install.yml check.yml --phases build,validate
  awstoe run app.yml --parameters name=demo,hosts=a\\,b -l /var/log/awstoe
  generate | awstoe run -
  awstoe run --config run.json
  awstoe run install.yml --resume"""

_DOCUMENT_OPTIONS = ("-d", "--documents", "--document")
_ASSIGNMENT = re.compile(r"[\w-]{3,128}=")
_OWNER = re.compile(r"[0-9]{12}")
_STDOUT_LIMIT = "AWSTOE_STDOUT_LIMIT"


def run(arguments: Sequence[str], console: Console) -> int:
    """Run documents, and return the exit code.

    Raises:
        UsageError: The options or the configuration file are not valid.
        AwstoeError: The run cannot start.
    """
    parser = _parser()
    options = parser.read(arguments)
    console.quiet = bool(options.quiet)
    console.color = console.color and not options.no_color
    if options.version:
        console.text(f"awstoe {__version__}\n")
        return 0
    try:
        request = _request(options, parser, arguments)
        _check_folders(request, console)
    except UsageError:
        if options.resume and options.execution_id:
            give_up(options.execution_id)
        raise
    if frozen.is_frozen():
        # Only a single-file executable can be updated.
        from awstoe.session.program_lock import hold_program

        hold_program(console)
    return launch(request, console)


def _parser() -> Parser:
    parser = Parser("run", "Run component documents on this machine.", _EXAMPLES)
    add = parser.add_argument
    many: dict[str, Any] = {"action": "append"}
    what = parser.add_argument_group("what to run")
    what.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="documents, folders or patterns, in order; - for standard input",
    )
    what.add_argument(
        *_DOCUMENT_OPTIONS,
        dest="documents",
        **many,
        metavar="A,B",
        help="the same as PATH, separated by commas",
    )
    what.add_argument(
        *("-c", "--config"),
        **many,
        metavar="FILE",
        help="read documents and settings from a JSON file",
    )
    what.add_argument(
        "-p", "--phases", **many, metavar="P,Q", help="run only these phases (default: all)"
    )
    what.add_argument(
        "--parameters", **many, metavar="N=V,...", help="values for the documents' parameters"
    )
    what.add_argument(
        "--blocked-action-modules", **many, metavar="A,B", help="reject documents that use these"
    )
    parser.flag("--strict", help="treat warnings about documents and parameters as errors")
    parser.flag("--resume", help="resume the unfinished run of these documents")
    add("-i", "--execution-id", metavar="ID", help="execution ID (default: a new UUID)")
    add("-l", "--log-directory", metavar="DIR", help="create the log folder here (default: .)")
    add("-s", "--state-directory", metavar="DIR", help="keep the state of the run here")
    parser.flag("-t", "--trace", help="also print application.log on standard error")
    parser.flag("-v", "--version", help="show the version and exit")
    later = parser.add_argument_group("not supported in this version (checked, then rejected)")
    later.add_argument("--document-s3-bucket-owner", metavar="ID", help="owner of s3:// documents")
    later.add_argument("-b", "--log-s3-bucket-name", metavar="NAME", help="bucket for the logs")
    later.add_argument("-k", "--log-s3-key-prefix", metavar="PREFIX", help="key prefix of the logs")
    later.add_argument("--log-s3-bucket-owner", metavar="ID", help="owner of the bucket")
    later.add_argument("--cw-log-group", metavar="GROUP", help="CloudWatch log group")
    later.add_argument("--cw-log-stream", metavar="STREAM", help="CloudWatch log stream")
    later.add_argument("--cw-log-region", metavar="REGION", help="CloudWatch region")
    parser.flag("--cw-ignore-failures", help="continue if CloudWatch fails", group=later)
    return parser


def _request(options: argparse.Namespace, parser: Parser, arguments: Sequence[str]) -> RunRequest:
    names = (*document_list(options.documents), *options.paths)
    _check_choice(options, names)
    strings: Mapping[str, str] = {}
    flags: Mapping[str, bool] = {}
    if options.config is not None:
        from awstoe.cli import config

        configuration = config.read(options.config[0])
        strings, flags = configuration.strings, configuration.flags
        documents = tuple(
            RequestedDocument(
                item.path,
                {**configuration.parameters, **item.parameters},
                own=frozenset(item.parameters),
            )
            for item in configuration.documents
        )
    else:
        given = parameters.read(options.parameters)
        documents = tuple(RequestedDocument(name, given) for name in names)
    _reject_aws(options, strings, flags)
    phases = comma_list(options.phases, "--phases")
    if not phases and strings.get("phases"):
        phases = comma_list([strings["phases"]], "phases")
    execution_id = _text(options.execution_id, strings, "executionId")
    if execution_id is not None:
        _check_execution_id(execution_id)
    trace = options.trace if options.trace is not None else flags.get("trace", False)
    return RunRequest(
        documents=documents,
        phases=phases,
        execution_id=execution_id,
        log_directory=_text(options.log_directory, strings, "logDirectory") or "",
        state_directory=_text(options.state_directory, strings, "stateDirectory"),
        blocked=_blocked(options),
        trace=trace,
        resume=bool(options.resume),
        stdout_limit=_stdout_limit(),
        strict=bool(options.strict),
        arguments=tuple(arguments),
        other_arguments=parser.options_in(arguments, without=_DOCUMENT_OPTIONS),
        expand=options.config is None,
        config=None if options.config is None else options.config[0],
    )


def _check_choice(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Check that the command line names documents or a configuration file.

    Raises:
        UsageError: It names neither or both, or what is taken for a document is something else.
    """
    both = "exactly one of --documents and --config is required"
    if options.config is not None and names:
        raise UsageError(
            f"{both}, got --config {options.config[0]} and {', '.join(names)}",
            hint="write the documents into the configuration file, or omit --config",
        )
    if options.config is not None and len(options.config) > 1:
        raise UsageError(
            f"--config is given twice, with {options.config[0]} and {options.config[1]}",
            hint="write all documents into one configuration file",
        )
    if options.config is None and not names:
        raise UsageError(f"{both}, got neither", hint="name a document: awstoe run hello.yml")
    if options.config is not None and options.parameters is not None:
        raise UsageError(
            "--parameters cannot be combined with --config",
            hint="write the parameters into the configuration file",
        )
    for name in options.paths:
        if os.path.lexists(name):
            continue
        if _ASSIGNMENT.match(name):
            raise UsageError(
                f"awstoe run: unexpected argument {name!r}",
                hint="separate parameters with commas, or repeat the option: --parameters"
                f" NAME=VALUE --parameters {name}",
            )
        if name == "help":
            raise UsageError("awstoe run: unexpected argument 'help'", hint="run 'awstoe run -h'")


def _check_folders(request: RunRequest, console: Console) -> None:
    """Warn about folders that would get a name that was meant for a shell.

    Raises:
        UsageError: With --strict.
    """
    folders = {
        "--log-directory": request.log_directory,
        "--state-directory": request.state_directory or "",
    }
    for option, folder in folders.items():
        found = shell_path(folder)
        if found is None:
            continue
        message = f"{option} {folder}: the name of the folder contains {found.what!r}"
        hint = shell_path_hint(found)
        if request.strict:
            raise UsageError(message, hint=hint)
        console.line(f"awstoe: warning: {message}\n  hint: {hint}")


def _text(given: str | None, strings: Mapping[str, str], key: str) -> str | None:
    value = given if given is not None else strings.get(key)
    return value or None


def _check_execution_id(execution_id: str) -> None:
    if len(execution_id) > limits.EXECUTION_ID_CHARACTERS or not execution_id.isprintable():
        raise UsageError(
            f"--execution-id: expected up to {limits.EXECUTION_ID_CHARACTERS} printable characters,"
            f" got {execution_id[:80]!r}"
        )


def _blocked(options: argparse.Namespace) -> frozenset[str]:
    names = comma_list(options.blocked_action_modules, "--blocked-action-modules")
    for name in names:
        if name not in ACTIONS:
            from awstoe.document.suggestions import closest

            close = closest(name, list(ACTIONS))
            raise UsageError(
                f"--blocked-action-modules: there is no action module {name!r}",
                hint=f"did you mean {close}?" if close else "to list them, run 'awstoe actions'",
            )
    return frozenset(names)


def _stdout_limit() -> int:
    text = os.environ.get(_STDOUT_LIMIT)
    if not text:
        return limits.OUTPUT_VALUE_BYTES
    if not re.fullmatch(r"[0-9]{1,12}", text) or not int(text):
        raise UsageError(
            f"the environment variable {_STDOUT_LIMIT}: expected a number of bytes, got {text!r}"
        )
    return int(text)


def _reject_aws(
    options: argparse.Namespace, strings: Mapping[str, str], flags: Mapping[str, bool]
) -> None:
    """Check the options for S3 and CloudWatch, then reject them: this version has neither."""
    given = {
        "--document-s3-bucket-owner": _text(
            options.document_s3_bucket_owner, strings, "documentS3BucketOwner"
        ),
        "--log-s3-bucket-name": _text(options.log_s3_bucket_name, strings, "logS3BucketName"),
        "--log-s3-key-prefix": _text(options.log_s3_key_prefix, strings, "logS3KeyPrefix"),
        "--log-s3-bucket-owner": _text(options.log_s3_bucket_owner, strings, "logS3BucketOwner"),
        "--cw-log-group": _text(options.cw_log_group, strings, "cwLogGroup"),
        "--cw-log-stream": _text(options.cw_log_stream, strings, "cwLogStream"),
        "--cw-log-region": _text(options.cw_log_region, strings, "cwLogRegion"),
    }
    for name in ("--document-s3-bucket-owner", "--log-s3-bucket-owner"):
        value = given[name]
        if value is not None and not _OWNER.fullmatch(value):
            raise UsageError(f"{name}: expected an account ID of 12 digits, got {value!r}")
    if not given["--log-s3-bucket-name"] and (
        given["--log-s3-key-prefix"] or given["--log-s3-bucket-owner"]
    ):
        raise UsageError("--log-s3-key-prefix and --log-s3-bucket-owner need --log-s3-bucket-name")
    cloudwatch = [given["--cw-log-group"], given["--cw-log-stream"]]
    if any(cloudwatch) and not all(cloudwatch):
        raise UsageError("--cw-log-group and --cw-log-stream must be used together")
    used = [name for name, value in given.items() if value is not None]
    if options.cw_ignore_failures or flags.get("cwIgnoreFailures"):
        used.append("--cw-ignore-failures")
    if used:
        raise UsageError(
            f"{', '.join(used)}: not supported in this version of awstoe, which does not use AWS",
            hint="remove the option; the logs are in the log folder",
        )
