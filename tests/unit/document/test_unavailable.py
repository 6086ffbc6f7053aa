"""What a valid document uses that this version cannot run."""

import pytest

from awstoe.document import unavailable
from awstoe.document.parse import parse
from awstoe.host.platforms import Platform

DOCUMENT = """schemaVersion: 1.0
phases:
  - name: build
    steps:
      - {name: First, action: ExecuteBash, inputs: {commands: [echo]}, timeoutSeconds: 5}
      - %s
  - name: test
    steps:
      - {name: Later, action: WebDownload, inputs: [{source: 'http://a.example', destination: c}]}
"""


def warnings(step: str, *, phases: list[int] | None = None) -> list[tuple[str, int, str]]:
    platform = Platform.WINDOWS if "MSI" in step else Platform.LINUX
    text = DOCUMENT % step
    if platform is Platform.WINDOWS:
        text = text.replace("ExecuteBash", "ExecutePowerShell")
    document = parse(text.encode(), "x.yml", {platform}).document
    assert document is not None
    found = unavailable.problems(document, phases)
    return [(problem.severity, problem.line, problem.message) for problem in found]


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("{name: S, action: S3Upload, inputs: [{source: a, destination: 's3://b/c'}]}", "S3Upload"),
        (
            "{name: S, action: ExecuteDocument, inputs: {document: 's3://b/c.yml'}}",
            "documents from S3 URIs",
        ),
        (
            "{name: S, action: ExecuteDocument, inputs: {document: 'arn:aws:imagebuilder:x'}}",
            "documents from component ARNs",
        ),
        (
            "{name: S, action: InstallMSI, inputs: {path: 'https://a.example/b.msi?c=d'}}",
            "InstallMSI with a URL",
        ),
        (
            "{name: S, action: ExecuteBash, inputs: {commands: ['echo {{aws:ssm:/a}}']}}",
            "{{aws:ssm:/a}}",
        ),
        (
            "{name: S, action: ExecuteBash, inputs: {commands: [x]},"
            " if: {stringEquals: a, value: '{{ context:region }}'}}",
            "{{ context:region }}",
        ),
        (
            "{name: S, action: ExecuteBash, inputs: {commands: [x]},"
            " loop: {forEach: [a, '{{ aws:imds:placement/region }}']}}",
            "{{ aws:imds:placement/region }}",
        ),
    ],
)
def test_a_use_is_a_warning_at_its_step(step: str, what: str) -> None:
    message = f"step 'S' in phase 'build' uses {what}, which is not in this version"

    assert warnings(step, phases=[0]) == [("warning", 6, f"{message}: the step will fail")]


@pytest.mark.parametrize(
    "step",
    [
        "{name: S, action: ExecuteDocument, inputs: {document: other.yml}}",
        "{name: S, action: ExecuteDocument, inputs: {document: '{{ env:DOCUMENT }}'}}",
        "{name: S, action: UninstallMSI, inputs: {path: 'C:\\a.msi'}}",
        "{name: S, action: ExecuteBash, inputs: {commands: ['echo {{ context:hostname }}']}}",
    ],
)
def test_what_can_run_is_no_warning(step: str) -> None:
    assert warnings(step, phases=[0]) == []


def test_only_the_phases_that_run_count() -> None:
    step = "{name: S, action: ExecuteBash, inputs: {commands: [echo]}}"

    assert warnings(step, phases=[0]) == []
    assert [line for _, line, _ in warnings(step, phases=[1])] == [9]
    assert [line for _, line, _ in warnings(step)] == [9]
