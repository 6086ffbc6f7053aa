"""Recognizes files that are not component documents, so that one error says what they are.

It is used only for a file that cannot be a document: it has no text, no tree, or no list of phases.
What is recognized is data: the first bytes, the first line, or the keys at the top.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from awstoe.document import advice, foreign_words
from awstoe.document.diagnostics import Unreadable
from awstoe.document.scalars import commands
from awstoe.document.suggestions import closest
from awstoe.document.syntax.nodes import Mapping, Node, Scalar, Sequence
from awstoe.expressions.values import quoted

CODE: Final = "not-a-document"

_READ: Final = 64 * 1024
"""Bytes that are read: what a file is shows at its start."""

_EXPECTED: Final = "expected a component document"
_WANTED: Final = "a component document has 'schemaVersion: 1.0' and 'phases'"
_RUN_IT: Final = "run it from a step of ExecuteBash or ExecuteBinary"
_DOWNLOAD: Final = "check the address from which the file was downloaded, and download it again"
_UNPACK: Final = "unpack it, and use a document in it"
_SCRIPT: Final = (
    "put its commands into a document, under 'inputs: {commands: [...]}' of a step, or run the file"
    " from a step"
)

_MAGIC: Final = (
    (b"PK\x03\x04", "a zip archive", _UNPACK),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"MSCF", "a cabinet archive", _UNPACK),
    (b"\x7fELF", "a Linux program (ELF)", _RUN_IT),
    (b"MZ", "a Windows program", "run it from a step of ExecuteBinary or ExecutePowerShell"),
    (b"\xcf\xfa\xed\xfe", "a macOS program", ""),
    (b"\xd0\xcf\x11\xe0", "an MSI or Office file", "install an MSI file with a step of InstallMSI"),
    (b"\xed\xab\xee\xdb", "an RPM package", "install it from a step of ExecuteBash"),
    (b"!<arch>\n", "a Debian package or a library", "install it from a step of ExecuteBash"),
    (b"\x89PNG", "a PNG image", ""),
    (b"\xff\xd8\xff", "a JPEG image", ""),
    (b"GIF8", "a GIF image", ""),
    (b"SQLite format 3\0", "an SQLite database", ""),
)
_TAR: Final = (257, b"ustar")


class _Opening(NamedTuple):
    """A kind of file that its text shows."""

    expression: str
    """Matches at the start of the text, or of a line in multi-line mode."""
    what: str
    hint: str


_CLOUD_INIT: Final = (
    "a cloud-init configuration (cloud-config)",
    "pass it as user data, or write its commands as steps of ExecuteBash",
)
_OPENINGS: Final = (
    _Opening(
        r"(?is)\s*<\?xml\b[^>]*>\s*<Error>.*?<Code>\w+",
        "an error message of Amazon S3 (XML)",
        "check the address and the permissions of the download, and download the file again",
    ),
    _Opening(r"(?i)\s*<(!doctype\s+html|html|head|body)\b", "an HTML page", _DOWNLOAD),
    _Opening(r"\s*<(\?xml|!DOCTYPE|!--|[A-Za-z][\w:.-]*[\s>/])", "an XML file", _WANTED),
    _Opening(
        r"(?m)^<{7} ",
        "a file with an unresolved merge conflict",
        "resolve the conflict between the lines '<<<<<<<' and '>>>>>>>'",
    ),
    _Opening(
        r"\s*```",
        "a document between lines of '```'",
        "remove the lines with '```': they belong to Markdown",
    ),
    _Opening(
        r"\s*(cat\b[^\n]*)?<<[-~]?\s*['\"]?\w+",
        "a document inside a here-document of a shell or of Terraform",
        "remove the line with '<<' and the word that ends the here-document",
    ),
    _Opening(
        r"version https://git-lfs",
        "a pointer of Git LFS",
        "run 'git lfs pull' to get the file itself",
    ),
    _Opening(r"(diff --git |--- a/|Index: )", "a patch", "apply the patch to its document"),
    _Opening(r"-----BEGIN ", "a PEM file (a key or a certificate)", _WANTED),
    _Opening(
        r"(?i)(content-type|mime-version): ", "a MIME message, such as user data", _CLOUD_INIT[1]
    ),
    _Opening(r"%PDF-", "a PDF file", _WANTED),
    _Opening(r"\{\\rtf", "an RTF file", "save the document as plain text in UTF-8"),
)
"""Kinds that no component document can look like."""

_FIRST_LINES: Final = (
    _Opening(r"#!.*\b(ba|da|z|k|)sh\b", "a shell script", _SCRIPT),
    _Opening(r"#!.*\b(python|perl|ruby|node|pwsh)", "a script", _SCRIPT),
    _Opening(r"(?i)#requires\b", "a PowerShell script", _SCRIPT),
)
_TEXTS: Final = (
    _Opening(
        r"(?i)(ARG\s+\w.*\n)*FROM\s+\S+(\s+AS\s+\S+)?\s*(\n|$)",
        "a Dockerfile",
        "build it with 'docker build', or put the commands after RUN into steps of ExecuteBash",
    ),
    _Opening(
        r"(?m)^(packer|source\s+\"[^\"]*\"\s+\"[^\"]*\"|build)\s*\{",
        "a Packer template (HCL)",
        "run it with 'packer build', or put the commands of its provisioners into steps",
    ),
    _Opening(
        r"(?m)^(terraform|locals|(resource|data)\s+\"[^\"]*\"\s+\"[^\"]*\""
        r"|(provider|variable|module|output)\s+\"[^\"]*\")\s*\{",
        "a Terraform configuration (HCL)",
        "apply it with Terraform; if it defines a component, use the text under its 'data'",
    ),
    _Opening(r"(?m)^pipeline\s*\{", "a Jenkinsfile", "run it with Jenkins"),
    _Opening(r"(?m)^Vagrant\.configure", "a Vagrantfile", "run it with Vagrant"),
    _Opening(
        r"(?i)(<#|\[CmdletBinding|param\s*\(|\$\w+\s*=|Set-StrictMode)",
        "a PowerShell script",
        _SCRIPT,
    ),
    _Opening(r"(?i)\s*(@echo off|rem |::|setlocal\b)", "a batch file of Windows", _SCRIPT),
    _Opening(r"set -[euxo]", "a shell script", _SCRIPT),
    _Opening(
        r"\[[\w. -]+\][ \t]*\n+(\s*[#;].*\n|\s*\n)*[\w.-]+\s*=",
        "a configuration file (INI or TOML)",
        _WANTED,
    ),
    _Opening(r"(export\s+)?\w+=\S*\s*(\n|$)", "a file of variables", _WANTED),
    _Opening(r"(import|from)\s+\w+.*\n", "a Python script", _SCRIPT),
    _Opening(
        r"(?m)^[ \t]*(\{%|\{\{-?[ \t]*(if|range|define|include)\b)",
        "a template of Jinja or Helm",
        "render the template first, and use its result",
    ),
)
"""Kinds that a document with a syntax error could look like, if it did not have 'phases:'."""


class _Signature(NamedTuple):
    """A kind of YAML or JSON file that its keys show."""

    keys: str
    """The keys it has, separated by spaces; ``a|b`` is one of several."""
    what: str
    hint: str
    text: str = ""
    """What its text contains as well: an expression."""


_CLOUDFORMATION: Final = (
    "a CloudFormation template",
    "deploy it with CloudFormation; if it defines a component, use the text under its 'Data'",
)
_SSM: Final = (
    "an SSM document",
    "run it with AWS Systems Manager, or write its 'mainSteps' as steps of a phase",
)
_PACKER: Final = (
    "a Packer template (JSON)",
    "run it with 'packer build', or put the commands of its provisioners into steps",
)
_GITHUB: Final = (
    "a GitHub Actions workflow",
    "GitHub runs it; write the commands after 'run' as steps of ExecuteBash",
)
_COMPONENT: Final = (
    "a component of Image Builder, not its document",
    "use the text under 'data' as the document",
)
_IMAGE_BUILDER_ACTIONS: Final = (
    r"action[\"']?:\s*[\"']?(LaunchInstance|ApplyImageConfigurations|BootstrapInstanceForContainer|CollectImage\w+"
    r"|CreateImage|DistributeImage|ExecuteComponents|ExecuteStateMachine|ModifyImageAttributes"
    r"|RegisterImage|RunCommand|RunSysPrep|SanitizeInstance|TerminateInstance|WaitForAction"
    r"|WaitForSSMAgent)\b"
)

_MAPPINGS: Final = (
    _Signature("AWSTemplateFormatVersion", *_CLOUDFORMATION),
    _Signature("Resources", *_CLOUDFORMATION, r"AWS::|Fn::"),
    _Signature("mainSteps", *_SSM),
    _Signature("schemaVersion runtimeConfig", *_SSM),
    _Signature(
        "steps",
        "an Image Builder workflow",
        "Image Builder runs it; awstoe runs the documents of components",
        _IMAGE_BUILDER_ACTIONS,
    ),
    _Signature("component requestId|componentBuildVersionArn", *_COMPONENT),
    _Signature("component", *_COMPONENT, r"\"?data\"?:"),
    _Signature("semanticVersion platform data|uri", *_COMPONENT),
    _Signature(
        "components parentImage|workingDirectory|semanticVersion|targetRepository",
        "an Image Builder recipe",
        "use the document of one of its components",
    ),
    _Signature(
        "documents",
        "a configuration file of awstoe",
        "use it with 'awstoe run --config FILE'",
        r"\"?(path|logLevel|outputFormat|phases)\"?:|\[",
    ),
    _Signature(
        "executionId status failedStepCount|phases|documents|failureMessage",
        "a result of awstoe",
        "use the document that was run",
    ),
    _Signature("on|true jobs", *_GITHUB),
    _Signature("jobs workflows|orbs", "a CircleCI configuration", "CircleCI runs it"),
    _Signature("jobs", *_GITHUB, r"runs-on:|uses:"),
    _Signature("runs name|inputs|description", "a GitHub action", "GitHub runs it", r"using:"),
    _Signature(
        "version phases",
        "a CodeBuild buildspec",
        "CodeBuild runs it; write its commands as steps",
        r"(?m)^[\"']?\s*version[\"']?:\s*[\"']?0\.[12]",
    ),
    _Signature(
        "version hooks", "a CodeDeploy AppSpec file", "CodeDeploy runs it", r"location:|Lambda"
    ),
    _Signature("version os files", "a CodeDeploy AppSpec file", "CodeDeploy runs it"),
    _Signature("apiVersion kind", "a Kubernetes manifest", "apply it with kubectl"),
    _Signature("apiVersion appVersion|dependencies name", "a Helm chart", "install it with Helm"),
    _Signature("builders|provisioners", *_PACKER),
    _Signature(
        "services",
        "a Docker Compose file",
        "run it with 'docker compose', for example from a step of ExecuteBash",
        r"image:|build:",
    ),
    _Signature("service provider", "a configuration of the Serverless Framework", "deploy it"),
    _Signature("runcmd|bootcmd|write_files|cloud_init_modules|ssh_authorized_keys", *_CLOUD_INIT),
    _Signature("package_update|package_upgrade|package_reboot_if_required", *_CLOUD_INIT),
    _Signature(
        "StartAt States", "a Step Functions state machine", "run it with AWS Step Functions"
    ),
    _Signature("Version Statement", "an IAM policy", _WANTED),
    _Signature("openapi|swagger", "an OpenAPI description", _WANTED),
    _Signature("dependencies|devDependencies|scripts version", "an npm package.json", _WANTED),
    _Signature("terraform_version", "a Terraform state", _WANTED),
    _Signature(
        "resource|terraform|provider", "a Terraform configuration (JSON)", _WANTED, r"^\s*\{"
    ),
    _Signature(
        "version jobs|workflows|orbs", "a CircleCI configuration", "CircleCI runs it", r"jobs:"
    ),
    _Signature("repos", "a configuration of pre-commit", "use it with pre-commit", r"rev:"),
    _Signature("trigger|pool|pr steps|jobs|stages", "an Azure pipeline", "Azure DevOps runs it"),
    _Signature(
        "stages|image|before_script", "a GitLab CI configuration", "GitLab runs it", r"script:"
    ),
    _Signature(
        "version tasks|config",
        "a configuration of EC2Launch",
        "pass it to EC2Launch, or write its tasks as steps",
        r"task:",
    ),
    _Signature("message documentation_url|status", "an error message of a web service", _DOWNLOAD),
    _Signature("404|403|500|503|AccessDenied", "an error message of a web server", _DOWNLOAD),
)
_PLAYBOOK: Final = (
    "an Ansible playbook",
    "run it with ansible-playbook, for example from a step of ExecuteBash",
)
_LISTS: Final = (
    _Signature("hosts", *_PLAYBOOK),
    _Signature("import_playbook|ansible.builtin.import_playbook", *_PLAYBOOK),
    _Signature("ParameterKey", "a parameter file of CloudFormation", _WANTED),
    _Signature(
        "name|register|become|when|ansible.builtin.shell",
        "a list of Ansible tasks",
        "run it with Ansible, or write its tasks as steps of a phase",
        r"(?m)^[- ] (shell|command|apt|yum|dnf|package|copy|template|file|service|systemd|debug"
        r"|include_tasks|set_fact|become|register|when|notify|(ansible|community|amazon)\.[\w.]+):",
    ),
)
_OWN_KEY: Final = re.compile(
    r"""(?m)^[\s{\[-]*["']?(name|description|schemaVersion|parameters|constants|phases|steps|action"""
    r"""|inputs|commands)["']?(?:[:=]|[ \t]+[:=]\s)"""
)
"""A key of a document, also one with a mistake after it."""
_COMPARED: Final = 50
"""Keys that are compared with those of a document."""
_SHOWN: Final = 40
"""Characters of a text that are shown."""
_OWN: Final = ("name", "description", "schemaVersion", "parameters", "constants", "phases", "steps")


def recognized(data: bytes, root: Node | None, *, is_text: bool) -> Unreadable | None:
    """Return what kind of foreign file it is, as the only problem of the file, or None.

    Args:
        data: The file's bytes.
        root: Its tree, if it has one; None if it has no text or no tree.
        is_text: Whether it is text that is not YAML.
    """
    start = data[:200]
    for magic, what, hint in _MAGIC:
        if start.startswith(magic) and (b"\0" in start or not start.isascii()):
            return _foreign(what, hint, line=0)
    if data.startswith(_TAR[1], _TAR[0]):
        return _foreign("a tar archive", _UNPACK, line=0)
    text = data[:_READ].decode("utf-8-sig", "replace").replace("\r\n", "\n")
    if found := _opening(_OPENINGS, text):
        return found
    if isinstance(root, Mapping):
        return _inside(root) or _mapping(root.entries, text, root.line) or _nothing_in_common(root)
    if isinstance(root, Sequence):
        keys = [key for item in root.items if isinstance(item, Mapping) for key in item.entries]
        return _by_keys(_LISTS, keys, text, root.line)
    if root is None and re.search(r"(?m)^[ \t]*[\"']?phases[\"']?[ \t]*:", text):
        return None  # a document with a syntax error
    body = _without_comments(text)
    first = text.count("\n") - body.count("\n") + 1
    return (
        _opening(_FIRST_LINES, text)
        or _mapping(re.findall(r"(?m)^[\"']?([\w.-]+)[\"']?:(?=\s|$)", text), text, 1)
        or _by_keys(_LISTS, re.findall(r"(?m)^- ([\w.]+):(?=\s|$)", text), text, 1)
        or _opening(_TEXTS, body, first)
        or (_text(root, body, first) if is_text or root is not None else None)
    )


def _inside(root: Mapping) -> Unreadable | None:
    """Recognize a document that is the value of a key."""
    for key, (where, value) in root.entries.items():
        if isinstance(value, Mapping) and isinstance(value.value("phases"), Sequence):
            hint = f"remove {quoted(key)}, and start the keys below it in column 1"
            if value.flow:
                hint = f"use only the value of {quoted(key)}"
            return _foreign(f"a document under the key {quoted(key)}", hint, line=where.line)
    return None


def _text(root: Node | None, body: str, line: int) -> Unreadable | None:
    """Recognize text that has no structure: a script, a message of a program, or prose.

    Args:
        root: The text as a scalar; None if it cannot be read as YAML.
        body: The text from its first line that is not a comment.
        line: The number of that line.
    """
    if isinstance(root, Scalar) and root.style:
        if not _OWN_KEY.search(root.text):
            return None
        hint = (
            f"remove the line with '{root.style}', and the indentation of the other lines"
            if root.style in "|>"
            else "write the text without the quotes around it"
        )
        return _foreign("a string that holds a document", hint, line=root.line)
    if _OWN_KEY.search(body):
        return None
    start = body.split(maxsplit=1)[0] if body.strip() else ""
    if start in commands.PROGRAMS or start in commands.WORDS:
        return _foreign("a shell script", _SCRIPT, line=line)
    if commands.CMDLET.match(body):
        return _foreign("a PowerShell script", _SCRIPT, line=line)
    shown = body.strip().split("\n", 1)[0]
    shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN].rstrip() + "..."
    return _foreign(f"other text, which starts with {quoted(shown)}", _WANTED, line=line)


def _without_comments(text: str) -> str:
    """Return ``text`` from its first line that is not empty and not a comment."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith(("#", ";", "//")):
            return "\n".join(lines[number:])
    return ""


def _mapping(keys: Iterable[str], text: str, line: int) -> Unreadable | None:
    keys = list(keys)
    if text.startswith("#cloud-config"):
        return _foreign(*_CLOUD_INIT, line=1)
    return _by_keys(_MAPPINGS, keys, text, line)


def _by_keys(
    signatures: Iterable[_Signature], keys: Iterable[str], text: str, line: int
) -> Unreadable | None:
    present = set(keys)
    for signature in signatures:
        wanted = [set(words.split("|")) for words in signature.keys.split()]
        if all(words & present for words in wanted) and re.search(signature.text, text):
            return _foreign(signature.what, signature.hint, line=line)
    return None


def _opening(openings: Iterable[_Opening], text: str, line: int = 1) -> Unreadable | None:
    """Return the first kind that ``text``, which starts on ``line``, shows."""
    for opening in openings:
        many = opening.expression.startswith("(?m)")
        found = (re.search if many else re.match)(opening.expression, text)
        if found:
            line += text.count("\n", 0, found.start())
            return _foreign(opening.what, opening.hint, line=line)
    return None


def _nothing_in_common(root: Mapping) -> Unreadable | None:
    """Recognize a mapping in which no key resembles those of a document."""
    folded = {advice.fold(key) for key in root.entries}
    own = {advice.fold(key) for key in _OWN}
    unknown = [key for key in root.entries if advice.fold(key) not in own]
    if not unknown or folded & (own - {"name", "description"}):
        return None
    words = {word for row in foreign_words.DOCUMENT for word in row.words.split()}
    if folded & words or any(closest(key, _OWN) for key in unknown[:_COMPARED]):
        return None
    shown = ", ".join(map(quoted, unknown[:3]))
    for key, (_, value) in root.entries.items():
        if isinstance(value, Scalar) and _OWN_KEY.search(value.text):
            hint = f"use the text under {quoted(key)} as the document"
            return _foreign(f"a document under the key {quoted(key)}", hint, line=root.line)
    more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""  # noqa: PLR2004 - as above
    return _foreign(f"a mapping with the keys {shown}{more}", _WANTED, line=root.line)


def _foreign(what: str, hint: str, *, line: int) -> Unreadable:
    return Unreadable(CODE, f"{_EXPECTED}, got {what}", hint=hint or _WANTED, line=line)
