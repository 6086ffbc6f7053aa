"""The command line of ``run``: forms, checks, and plain progress lines."""

import re

import pytest

from awstoe import __version__
from cli.running import Ended, Toe, bash, phases
from subject import needs_source

UUID1 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
PARAMETERS = [
    {"One": {"type": "string", "default": "1"}},
    {"Two": {"type": "string", "default": "2"}},
]


def show(toe: Toe, name: str = "doc.yml") -> str:
    return toe.document(
        bash("Show", "printf '%s|' '{{ One }}' '{{ Two }}'"), parameters=PARAMETERS, name=name
    )


def refused(ended: Ended) -> str:
    """Return the message for a wrong command line: exit code 2, no standard output."""
    assert (ended.exit_code, ended.stdout) == (2, ""), ended
    assert ended.stderr.startswith("awstoe: error: ")
    assert "Traceback" not in ended.stderr
    return ended.stderr


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        (["--parameters", "One=a,Two=b"], "a|b|"),
        (["--parameters", "One=a", "--parameters", "Two=b"], "a|b|"),
        (["--parameters", r"One=a\,b\,c,Two=x"], "a,b,c|x|"),
        (["--parameters", "One=a=b==,Two=="], "a=b==|=|"),
        (["--parameters", r"One=back\slash"], r"back\slash|2|"),
        (["--parameters=One=ä ö"], "ä ö|2|"),
        ([], "1|2|"),
    ],
)
def test_parameters_have_these_forms(toe: Toe, given: list[str], printed: str) -> None:
    ended = toe.run("-d", show(toe), *given)
    assert ended.exit_code == 0, ended.stderr
    assert ended.printed("Show") == printed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--parameters", "One="], "One has no value"),
        (["--parameters", "One"], "expected name=value, got 'One'"),
        (["--parameters", "=x"], "expected name=value"),
        (["--parameters", ""], "expected name=value"),
        (["--parameters", "One=a,One=b"], "One is given twice"),
        (["--parameters", "One=a", "--parameters", "One=b"], "One is given twice"),
        (["--parameters", "One=a,b"], r"'\,'"),
    ],
)
def test_wrong_parameters_are_errors(toe: Toe, given: list[str], message: str) -> None:
    assert message in refused(toe.run("-d", show(toe), *given))
    assert toe.nothing_left()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "exactly one of --documents and --config"),
        (["-d", "doc.yml", "-c", "run.json"], "exactly one of --documents and --config"),
        (["-c", "run.json", "--parameters", "a=b"], "--parameters cannot be combined"),
        (["-d", ""], "--documents: empty entry"),
        (["-d", "doc.yml,"], "--documents: empty entry"),
        (["-d", "doc.yml", "-p", "build,,test"], "--phases: empty entry"),
        (["-d", "doc.yml", "--frobnicate"], "--frobnicate"),
        (["-d", "doc.yml", "--trac"], "--trac"),
        (["-d"], "expected one argument"),
        (["-d", "doc.yml", "--trace=perhaps"], "expected true or false, got 'perhaps'"),
        (["-d", "doc.yml", "-i", "a\nb"], "--execution-id"),
        (["-d", "doc.yml", "-i", "x" * 129], "--execution-id"),
        (["-d", "doc.yml", "--blocked-action-modules", "Rebot"], "did you mean Reboot?"),
        (["-d", "doc.yml", "--document-s3-bucket-owner", "12"], "12 digits"),
        (
            ["-d", "doc.yml", "--document-s3-bucket-owner", "1" * 12],
            "not supported in this version",
        ),
        (["-d", "doc.yml", "-b", "bucket"], "not supported in this version"),
        (["-d", "doc.yml", "-b", "bucket", "-k", "logs/"], "not supported in this version"),
        (["-d", "doc.yml", "-k", "logs/"], "need --log-s3-bucket-name"),
        (["-d", "doc.yml", "-b", "b", "--log-s3-bucket-owner", "abc"], "12 digits"),
        (["-d", "doc.yml", "--cw-log-group", "g"], "must be used together"),
        (
            ["-d", "doc.yml", "--cw-log-group", "g", "--cw-log-stream", "s"],
            "not supported in this version",
        ),
        (["-d", "doc.yml", "--cw-log-region", "eu-west-1"], "not supported in this version"),
        (["-d", "doc.yml", "--cw-ignore-failures"], "not supported in this version"),
    ],
)
def test_a_wrong_command_line_is_an_error(toe: Toe, given: list[str], message: str) -> None:
    show(toe)
    assert message in refused(toe.run(*given))
    assert toe.nothing_left()


@pytest.mark.parametrize("limit", ["0", "-1", "1k", "1e3"])
def test_a_wrong_output_limit_is_an_error(toe: Toe, limit: str) -> None:
    toe.environment["AWSTOE_STDOUT_LIMIT"] = limit
    assert "AWSTOE_STDOUT_LIMIT" in refused(toe.run("-d", show(toe)))


@pytest.mark.parametrize("option", ["--document", "--documents", "-d", "--documents=doc.yml"])
def test_documents_can_be_given_in_several_ways(toe: Toe, option: str) -> None:
    show(toe)
    given = [option] if "=" in option else [option, "doc.yml"]
    assert toe.run(*given).exit_code == 0


def test_list_options_add_up(toe: Toe) -> None:
    steps = phases(build=[bash("B", "true")], test=[bash("T", "true")], last=[bash("L", "true")])
    names = [toe.document(name=name, phases=steps) for name in ("a.yml", "b.yml", "c,d.yml")]
    ended = toe.run(
        *("-d", "a.yml,b.yml", "--documents", r"c\,d.yml", "-p", "test", "--phases", "build")
    )
    assert [d["filePath"] for d in ended.records["documents"]] == names
    # The order is that of the file, not that of the options.
    found = [p["name"] for p in ended.records["documents"][0]["phases"]]
    assert found == ["build", "test"]
    assert [p["isSelected"] for p in ended.chaining[0]["phases"]] == [True, True, False]


@pytest.mark.parametrize(
    ("flag", "traced"),
    [("--trace", True), ("-t", True), ("--trace=true", True), ("--trace=false", False)],
)
def test_trace_also_prints_the_log_on_standard_error(toe: Toe, flag: str, *, traced: bool) -> None:
    ended = toe.run("-d", show(toe), flag)
    assert ended.exit_code == 0
    if traced:
        assert ended.stderr == ended.application
    else:
        assert "Debug" not in ended.stderr


@pytest.mark.parametrize("flag", ["-v", "--version", "--version=true"])
def test_the_version_is_printed(toe: Toe, flag: str) -> None:
    ended = toe.run(flag, state=False)
    assert (ended.exit_code, ended.stdout) == (0, f"awstoe {__version__}\n")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_has_every_option_and_examples(toe: Toe, flag: str) -> None:
    ended = toe.run(flag, state=False)
    assert ended.exit_code == 0
    for option in ("PATH", "--config", "--resume", "--blocked-action-modules", "--cw-log-group"):
        assert option in ended.stdout
    assert "examples:\n  awstoe run hello.yml" in ended.stdout


def test_phases_that_match_nothing_fail_the_run(toe: Toe) -> None:
    ended = toe.run("-d", show(toe), "--phases", "validate,biuld")
    assert ended.exit_code == 1
    assert ended.counts == ("failed", 0, 0, 0)
    assert "no phase of the documents is named validate or biuld; they have: build" in ended.stderr
    assert ended.summary["logUrl"] == ""
    assert toe.nothing_left()


def test_phases_that_match_nothing_cause_a_warning_if_others_match(toe: Toe) -> None:
    ended = toe.run("-d", show(toe), "--phases", "validate,build")
    assert ended.exit_code == 0
    assert "warning: --phases: no document has a phase validate" in ended.stderr
    assert ended.statuses == {"Show": "success"}


def test_a_phase_of_one_of_the_documents_is_enough(toe: Toe) -> None:
    only = toe.document(name="only.yml", phases=phases(test=[bash("T", "true")]))
    ended = toe.run("-d", f"{show(toe)},{only}", "--phases", "test")
    assert ended.exit_code == 0
    assert "warning" not in ended.stderr
    assert ended.counts == ("success", 1, 0, 0)


def test_a_parameter_without_value_is_an_error_before_anything_runs(toe: Toe) -> None:
    bare = toe.document(
        bash("S", "touch ran; echo {{ Needed }}"),
        parameters=[{"Needed": {"type": "string"}}],
        name="bare.yml",
    )
    ended = toe.run("-d", f"{show(toe)},{bare}")
    assert ended.exit_code == 1
    assert ended.summary["failureMessage"].startswith("Document bare.yml failed! ")
    assert "Needed" in ended.stderr
    assert "bare.yml" in ended.stderr
    assert toe.nothing_left()


def test_a_parameter_that_no_document_has_is_ignored_with_a_warning(toe: Toe) -> None:
    ended = toe.run("-d", show(toe), "--parameters", "Three=3")
    assert ended.exit_code == 0
    assert "warning" in ended.stderr
    assert "Three" in ended.stderr


def test_a_parameter_of_another_document_causes_no_warning(toe: Toe) -> None:
    other = toe.document(bash("S", "true"), name="other.yml")
    ended = toe.run("-d", f"{show(toe)},{other}", "--parameters", "One=x")
    assert ended.exit_code == 0
    assert "warning" not in ended.stderr


def test_the_execution_id_is_a_uuid_of_version_1_unless_given(toe: Toe) -> None:
    ended = toe.run("-d", show(toe))
    assert UUID1.fullmatch(ended.summary["executionId"])
    folder = rf"TOE_\d{{4}}-\d\d-\d\d_\d\d-\d\d-\d\d_UTC-0_{ended.summary['executionId']}"
    assert re.fullmatch(folder, ended.logs.name)


@pytest.mark.parametrize(
    ("execution_id", "name"),
    [("a/b", "a_b"), ("..", "__"), (".", "_"), ("../../x", ".._.._x"), ("v1.2 é", "v1.2_é")],
)
def test_an_execution_id_is_made_safe_for_folder_names(
    toe: Toe, execution_id: str, name: str
) -> None:
    ended = toe.run("-d", show(toe), "--execution-id", execution_id)
    assert ended.exit_code == 0, ended.stderr
    assert ended.summary["executionId"] == execution_id
    assert ended.records["executionId"] == execution_id
    assert ended.logs.parent == toe.folder
    assert ended.logs.name.endswith(f"_UTC-0_{name}")


@needs_source("a built file may take a second to start")
def test_a_second_run_with_the_same_id_in_the_same_second_is_an_error(toe: Toe) -> None:
    toe.environment["STATE"] = str(toe.state)
    show(toe)
    exit_codes = []
    for number in range(6):  # two of them start in the same second unless each takes a second
        ended = toe.run("-d", "doc.yml", "-i", "same", "-s", f"state{number}", state=False)
        exit_codes.append(ended.exit_code)
        if ended.exit_code:
            assert "the log folder" in ended.summary["failureMessage"]
            assert "--execution-id" in ended.stderr
            assert not (toe.folder / f"state{number}").exists()
            break
    assert 1 in exit_codes
    assert len(toe.log_folders()) < len(exit_codes)


def test_a_log_directory_is_created(toe: Toe) -> None:
    ended = toe.run("-d", show(toe), "-l", "some/where")
    assert ended.exit_code == 0
    assert ended.logs.parent == toe.folder / "some" / "where"


def test_plain_progress_lines_show_phases_and_steps(toe: Toe) -> None:
    ended = toe.run("-d", toe.document(bash("A", "true"), bash("B", "exit 4", onFailure="Ignore")))
    lines = [re.sub(r"\d+\.\d", "N", line) for line in ended.stderr.splitlines()]
    assert lines[:4] == [
        "doc.yml: phase build",
        "  build/A (ExecuteBash)",
        "  build/A: success in N s",
        "  build/B (ExecuteBash)",
    ]
    assert lines[4].startswith("  build/B: ignoredFailure in N s: ")
    assert "\x1b" not in ended.stderr


@pytest.mark.parametrize("position", ["before", "after"])
def test_quiet_prints_only_errors(toe: Toe, position: str) -> None:
    good, bad = show(toe), toe.document(bash("Bad", "exit 4"), name="bad.yml")
    given = ("--quiet",) if position == "after" else ()
    ended = toe.run("-d", good, *given, globals_=() if given else ("--quiet",))
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.counts[0] == "success"
    ended = toe.run("-d", bad, *given, globals_=() if given else ("--quiet",))
    assert ended.exit_code == 1
    assert ended.counts[0] == "failed"
    assert "step 'Bad'" in ended.stderr
    assert "(ExecuteBash)" not in ended.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--phase", "build"], "unknown option --phase\n  hint: did you mean --phases?"),
        (["--log-dir=x"], "unknown option --log-dir\n  hint: did you mean --log-directory?"),
    ],
)
def test_an_unknown_option_is_reported_with_a_suggestion(
    toe: Toe, given: list[str], message: str
) -> None:
    assert message in refused(toe.run("-d", show(toe), *given))
