"""References: their grammar, the checks that need no document, and substitution."""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awstoe import limits
from awstoe.errors import ActionError
from awstoe.expressions.references import (
    CONTEXT_KEYS,
    ChainReference,
    ContextReference,
    EnvironmentReference,
    ImdsReference,
    LocatedReference,
    LoopReference,
    Reference,
    SsmReference,
    VariableReference,
    as_text,
    find,
    parts,
    problem,
    references_in,
    substitute,
)
from awstoe.expressions.values import Value


class Known:
    """A resolver with values for some references, given as text without braces and spaces."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = {find(f"{{{{{name}}}}}")[0].reference: values[name] for name in values}
        self.requested: list[Reference] = []

    def value(self, reference: Reference) -> Value:
        self.requested.append(reference)
        return self._values[reference]


NOTHING = Known({})

REFERENCES: dict[str, Reference] = {
    "{{ NAME }}": VariableReference("NAME"),
    "{{NAME}}": VariableReference("NAME"),
    "{{  NAME\t}}": VariableReference("NAME"),
    "{{\n  NAME\n}}": VariableReference("NAME"),
    "{{ a-1_B }}": VariableReference("a-1_B"),
    "{{ abc }}": VariableReference("abc"),
    "{{ " + "n" * 128 + " }}": VariableReference("n" * 128),
    "{{ build.Step.inputs.path }}": ChainReference("build", "Step", "inputs", 0, "path"),
    "{{ build.Step.inputs[3].path }}": ChainReference("build", "Step", "inputs", 3, "path"),
    "{{ a.b.outputs.stdout }}": ChainReference("a", "b", "outputs", 0, "stdout"),
    "{{a.b.outputs[12].stdout}}": ChainReference("a", "b", "outputs", 12, "stdout"),
    "{{ p-1.s_2.outputs.x }}": ChainReference("p-1", "s_2", "outputs", 0, "x"),
    "{{ loop.index }}": LoopReference("loop", "index"),
    "{{ loop.value }}": LoopReference("loop", "value"),
    "{{ my-loop.value }}": LoopReference("my-loop", "value"),
    "{{ x.index }}": LoopReference("x", "index"),
    "{{ env:HOME }}": EnvironmentReference("HOME"),
    "{{ env:ProgramFiles(x86) }}": EnvironmentReference("ProgramFiles(x86)"),
    "{{ env:with space }}": EnvironmentReference("with space"),
    "{{ env:größe }}": EnvironmentReference("größe"),
    "{{ env:a:b }}": EnvironmentReference("a:b"),
    "{{ env: }}": EnvironmentReference(""),
    "{{ context:uuid }}": ContextReference("uuid"),
    "{{ context:nope }}": ContextReference("nope"),
    "{{ aws:ssm:/my/param }}": SsmReference("/my/param"),
    "{{ aws:ssm:name:3 }}": SsmReference("name:3"),
    "{{ aws:ssm:resolve(NAME) }}": SsmReference(VariableReference("NAME")),
    "{{ aws:ssm:resolve( NAME ) }}": SsmReference(VariableReference("NAME")),
    "{{ aws:ssm:resolve(aws:ssm:/n) }}": SsmReference(SsmReference("/n")),
    "{{ aws:ssm:resolve(aws:ssm:resolve(NAME)) }}": SsmReference(
        SsmReference(VariableReference("NAME"))
    ),
    "{{ aws:ssm:resolve(ab) }}": SsmReference("resolve(ab)"),
    "{{ aws:imds:placement/region }}": ImdsReference("placement/region"),
}

TEXTS = [
    "",
    "plain",
    "{ NAME }",
    "{{ NAME }",
    "{{ }}",
    "{{}}",
    "{{ ab }}",
    "{{ " + "n" * 129 + " }}",
    "{{ two words }}",
    "{{ größe }}",
    "{{.State.Status}}",
    "{{ .Names }}",
    "{{ssm:x}}",
    "{{ aws:s3:x }}",
    "{{ aws:ssm }}",
    "{{ Env:HOME }}",
    "{{ value | upper }}",
    "{{ 'text' }}",
    "{{- if .x -}}",
    "{% if x %}",
    "{{ a.b }}",
    "{{ a.b.stdout }}",
    "{{ a.b.output.x }}",
    "{{ a.b.outputs }}",
    "{{ a.b.outputs[].x }}",
    "{{ a.b.outputs[-1].x }}",
    "{{ a.b.outputs[x].x }}",
    "{{ a.b.outputs[0] }}",
    "{{ a.b.outputs[0]x }}",
    "{{ a.b.outputs[0].x.y }}",
    "{{ a.b.c.outputs.x }}",
    "{{ loop.name }}",
    "{{ loop.Index }}",
    "{{ a b.index }}",
    "{{ env:a}b }}",
    "{{ env:a\0b }}",
    "}} NAME {{",
]


@pytest.mark.parametrize("text", REFERENCES)
def test_text_that_follows_the_grammar_is_a_reference(text: str) -> None:
    assert parts(text) == (LocatedReference(REFERENCES[text], 0, text),)


@pytest.mark.parametrize("text", TEXTS)
def test_text_that_does_not_follow_the_grammar_stays_text(text: str) -> None:
    assert find(text) == ()
    assert "".join(str(part) for part in parts(text)) == text


def test_references_are_found_with_their_positions() -> None:
    text = "a {{ one }}{{two}} {{ x }} {{{ six }}}"

    assert parts(text) == (
        "a ",
        LocatedReference(VariableReference("one"), 2, "{{ one }}"),
        LocatedReference(VariableReference("two"), 11, "{{two}}"),
        " {{ x }} {",
        LocatedReference(VariableReference("six"), 28, "{{ six }}"),
        "}",
    )


@pytest.mark.parametrize(
    "text",
    [
        "{" * 2_000_000,
        "{{ " * 700_000,
        "{{a" * 700_000 + "}}",
        "}}{{" * 500_000,
        "{{" + " " * 2_000_000 + "}}",
        "{{" + "a" * 2_000_000 + "}}",
        "{{" + "a." * 1_000_000 + "}}",
        "{{ " + "aws:ssm:resolve(" * 100_000 + "NAME" + ")" * 100_000 + " }}",
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    # With quadratic time, this would take hours: the time limit of all tests would end it.
    assert "".join(p if isinstance(p, str) else p.text for p in parts(text)) == text


def test_resolve_that_is_nested_too_deeply_is_rejected() -> None:
    levels = limits.SSM_RESOLVE_DEPTH + 1
    (placed,) = find("{{ " + "aws:ssm:resolve(" * levels + "NAME" + ")" * levels + " }}")

    refusal = problem(placed.reference)

    assert refusal is not None
    assert refusal.code == "ssm-name"


@pytest.mark.parametrize("key", CONTEXT_KEYS)
def test_context_keys_are_accepted(key: str) -> None:
    assert problem(ContextReference(key)) is None


@pytest.mark.parametrize(
    ("key", "meant"),
    [("UUID", "uuid"), ("datetime", "dateTime"), ("executonId", "executionId")],
)
def test_an_unknown_context_key_suggests_the_closest_one(key: str, meant: str) -> None:
    refusal = problem(ContextReference(key))

    assert refusal is not None
    assert refusal.code == "unknown-context-key"
    assert repr(key) in refusal.message
    assert refusal.hint.startswith(f"did you mean 'context:{meant}'?")


def test_an_unknown_context_key_without_a_close_one_lists_all() -> None:
    refusal = problem(ContextReference("zzz"))

    assert refusal is not None
    assert refusal.hint == "use one of " + ", ".join(CONTEXT_KEYS)


@pytest.mark.parametrize(
    "path",
    [
        "iam",
        "iam/",
        "iam/security-credentials/role",
        "/iam/info",
        "//iam/info",
        "IAM/info",
        "./iam/info",
        "placement/../iam/info",
        "placement//..//iam",
        "%69am/info",
        "%2569am/info",
        "iam%2Finfo",
        "iam?x",
        "iam;x=1/info",
        "iam#x",
        " iam/info",
        "i\tam/info",
        "\\iam\\info",
        "identity-credentials/ec2/security-credentials/ec2-instance",
        "Identity-Credentials/",
        "/identity-credentials",
    ],
)
def test_metadata_with_credentials_is_rejected(path: str) -> None:
    refusal = problem(ImdsReference(path))

    assert refusal is not None
    assert refusal.code == "imds-credentials"


@pytest.mark.parametrize(
    "path",
    ["..", "../user-data", "../meta-data/iam/info", "a/../../dynamic", "%2e%2e/user-data", "/../x"],
)
def test_metadata_paths_outside_their_tree_are_rejected(path: str) -> None:
    refusal = problem(ImdsReference(path))

    assert refusal is not None
    assert refusal.code == "imds-path"


@pytest.mark.parametrize(
    "path",
    [
        "placement/region",
        "/local-ipv4",
        "tags/instance/iam",
        "tags/instance/a b",
        "iamage",
        "network/interfaces/macs/0e:49:61:0f:c3:11/subnet-id",
    ],
)
def test_other_metadata_is_accepted(path: str) -> None:
    assert problem(ImdsReference(path)) is None


@pytest.mark.parametrize(
    "reference",
    [
        ContextReference(""),
        EnvironmentReference(""),
        ImdsReference(""),
        ImdsReference("/"),
        SsmReference(""),
        SsmReference(SsmReference("")),
    ],
)
def test_empty_names_are_rejected(reference: Reference) -> None:
    refusal = problem(reference)

    assert refusal is not None
    assert refusal.code == "empty-reference"


@pytest.mark.parametrize("name", ["a b", "resolve(ab)", "a,b", "größe", "$x"])
def test_invalid_ssm_names_are_rejected(name: str) -> None:
    for reference in (SsmReference(name), SsmReference(SsmReference(name))):
        refusal = problem(reference)
        assert refusal is not None
        assert refusal.code == "ssm-name"


@pytest.mark.parametrize(
    "reference",
    [
        VariableReference("abc"),
        ChainReference("a", "b", "outputs", 0, "x"),
        LoopReference("loop", "index"),
        EnvironmentReference("ProgramFiles(x86)"),
        SsmReference("/aws/reference/secretsmanager/a+b=c@d"),
        SsmReference("arn:aws:ssm:eu-west-1:123456789012:parameter/x:2"),
        SsmReference(VariableReference("abc")),
    ],
)
def test_references_that_need_a_document_are_not_checked(reference: Reference) -> None:
    assert problem(reference) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a b", "a b"),
        (True, "true"),
        (False, "false"),
        (-12, "-12"),
        (None, ""),
        ([], "[]"),
        (["a", "ü", '"'], '["a","ü","\\""]'),
        ({"a": ["b", 1]}, '{"a":["b",1]}'),
    ],
)
def test_values_become_text(value: Value, text: str) -> None:
    assert as_text(value) == text
    assert substitute("<{{ abc }}>", Known({"abc": value})) == f"<{text}>"


@pytest.mark.parametrize("value", ["a", True, 7, None, ["a"], {"a": "b"}])
def test_a_string_that_is_one_reference_keeps_the_type(value: Value) -> None:
    assert substitute("{{ abc }}", Known({"abc": value})) == value


def test_a_reference_with_space_around_it_becomes_text() -> None:
    assert substitute(" {{ abc }}", Known({"abc": 7})) == " 7"


def test_substitution_reaches_into_lists_and_mappings_but_not_keys() -> None:
    value: Value = {"{{ abc }}": ["x", {"k": "-{{ abc }}-"}], "n": 1, "b": True, "z": None}

    assert substitute(value, Known({"abc": "v"})) == {
        "{{ abc }}": ["x", {"k": "-v-"}],
        "n": 1,
        "b": True,
        "z": None,
    }


def test_substitution_is_a_single_pass() -> None:
    resolver = Known({"one": "{{ two }}", "two": "{{ one }}"})

    assert substitute("{{ one }} {{two}}", resolver) == "{{ two }} {{ one }}"
    assert substitute("{{ one }}", resolver) == "{{ two }}"


def test_substituted_text_never_forms_a_reference() -> None:
    assert substitute("{{{ one }}{ two }}", Known({"one": "x", "two": "y"})) == "{x{ two }}"


def test_an_unknown_reference_stays_unchanged() -> None:
    resolver = Known({"abc": "v"})

    assert substitute("{{abc}} {{  loop.index }}", resolver) == "v {{  loop.index }}"
    assert substitute("{{loop.index}}", resolver) == "{{loop.index}}"


def test_errors_of_the_resolver_are_raised() -> None:
    class Refusing:
        def value(self, reference: Reference) -> Value:
            raise ActionError(f"no value: {reference}")

    with pytest.raises(ActionError, match="no value"):
        substitute(["a {{ env:NOPE }}"], Refusing())


def test_text_without_references_needs_no_resolver() -> None:
    resolver = Known({"abc": "v"})

    assert substitute("plain } {{ .Go }}", resolver) == "plain } {{ .Go }}"
    assert resolver.requested == []


def test_references_in_nested_values_are_in_order() -> None:
    value: Value = {
        "a": "{{ one }} {{ x.index }}",
        "{{ key }}": ["{{ two }}", 3, {"c": "{{ env:E }}"}],
    }

    assert [placed.text for placed in references_in(value)] == [
        "{{ one }}",
        "{{ x.index }}",
        "{{ two }}",
        "{{ env:E }}",
    ]


PIECES = st.sampled_from(
    ["{", "}", "{{", "}}", " ", "\n", "abc", "a.b.outputs.x", "loop.index", "env:", "aws:ssm:", "("]
)
TEXT = st.one_of(st.text(), st.lists(PIECES).map("".join))
VALUES = st.recursive(
    st.one_of(TEXT, st.booleans(), st.integers(), st.none()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(TEXT, inner)),
    max_leaves=10,
)


@given(TEXT)
def test_joined_parts_are_the_text(text: str) -> None:
    split = parts(text)

    assert "".join(part if isinstance(part, str) else part.text for part in split) == text
    for placed in find(text):
        assert text[placed.start : placed.start + len(placed.text)] == placed.text
    assert "" not in split


@given(TEXT)
def test_plain_parts_are_never_adjacent(text: str) -> None:
    split = parts(text)

    assert not any(isinstance(one, str) and isinstance(two, str) for one, two in pairwise(split))


@given(VALUES)
def test_a_resolver_without_values_changes_nothing(value: Value) -> None:
    assert substitute(value, NOTHING) == value


@given(st.text(alphabet="aimd/.%6925eE2fF\\ ?;"))
def test_accepted_metadata_paths_never_lead_to_credentials(path: str) -> None:
    if problem(ImdsReference(path)) is None:
        assert not re.match(r"/*iam(/|$)", path, re.IGNORECASE)


ROOT = Path(__file__).parents[3]
OWN = sorted([*ROOT.glob("examples/**/*.yml"), *ROOT.glob("tests/documents/valid/*.yml")])
PUBLISHED = sorted((ROOT.parent / "shared" / "corpus").glob("*.yaml"))


def unrecognized(file: Path) -> tuple[list[str], set[str]]:
    """Return all text in ``file`` that looks like a chaining reference, and the ones not found."""
    text = file.read_text("utf-8", errors="replace")
    written = re.findall(r"\{\{\s*[\w-]+\.[\w-]+\.(?:in|out)puts[^}]*\}\}", text)
    return written, set(written) - {placed.text for placed in find(text)}


def test_all_chaining_references_of_our_documents_are_found() -> None:
    results = [unrecognized(file) for file in OWN]

    assert sum(len(written) for written, _ in results) > 20
    assert [missing for _, missing in results if missing] == []


@pytest.mark.skipif(not PUBLISHED, reason="the published documents are not part of this repository")
def test_all_chaining_references_of_published_documents_are_found() -> None:
    results = [unrecognized(file) for file in PUBLISHED]

    assert any(written for written, _ in results)
    assert [missing for _, missing in results if missing] == []
