"""Problems of inputs are found before the run, even for modules that cannot run yet."""

import pytest

from awstoe.actions import schema
from awstoe.expressions.values import Value
from awstoe.host.platforms import Platform

W, L = Platform.WINDOWS, Platform.LINUX
SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def problems(action: str, given: dict[str, Value], platform: Platform = W) -> str:
    """Return all problems of one operation, as text; empty if there are none."""
    found = schema.schema(action)
    # As in the parser of documents: a field does not judge a value that holds a reference.
    texts: list[str | None] = [
        problem.message
        for name, value in given.items()
        if "{{" not in str(value) and (problem := found.fields[name].problem(value, platform))
    ]
    if found.conflict is not None:
        texts.append(found.conflict(given))
    return "\n".join(text for text in texts if text)


@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("ExecutePowerShell", {"commands": ["Write-Host 1"]}),
        ("ExecutePowerShell", {"file": r"C:\scripts\Setup.PS1"}),
        ("S3Download", {"source": "s3://bucket/key", "expectedBucketOwner": "012345678901"}),
        ("S3Download", {"source": "s3://bucket/path/*", "overwrite": "False"}),
        ("S3Download", {"source": "s3://<PLACEHOLDER>"}),
        ("S3Upload", {"source": r"C:\folder\*", "destination": "s3://bucket/path/"}),
        ("WebDownload", {"source": "https://example.com/a?b=c#d"}),
        ("WebDownload", {"source": "HTTP://example.com"}),
        ("WebDownload", {"source": "https://a", "checksum": SHA, "algorithm": "sha256"}),
        ("WebDownload", {"checksum": "{{ Sum }}", "algorithm": "MD5"}),
        ("InstallMSI", {"path": "s3://bucket/a.msi", "reboot": "skip", "logOptions": "*vx!"}),
        ("InstallMSI", {"properties": {"COMPANYNAME": '"Acme"'}}),
        ("Reboot", {"delaySeconds": "60"}),
        ("Reboot", {}),
        ("UpdateOS", {"include": ["KB1234567", "*Security*"], "exclude": []}),
        ("SetRegistry", {"path": r"HKLM:\SOFTWARE\A"}),
        ("SetRegistry", {"path": r"HKEY_CURRENT_USER\Software\Test"}),
        ("SetRegistry", {"path": r"hkcu:\Software\Test\\"}),
        ("SetRegistry", {"value": "text", "type": "SZ"}),
        ("SetRegistry", {"value": "", "type": "sz"}),
        ("SetRegistry", {"value": "4294967295", "type": "DWORD"}),
        ("SetRegistry", {"value": "0xFFFFFFFF", "type": "dword"}),
        ("SetRegistry", {"value": "18446744073709551615", "type": "QWORD"}),
        ("SetRegistry", {"value": "00FFab", "type": "BINARY"}),
        ("SetRegistry", {"value": ["a", "b"], "type": "MULTI_SZ"}),
        ("SetRegistry", {"value": "one", "type": "MULTI_SZ"}),
        ("SetRegistry", {"value": "{{ Number }}", "type": "DWORD"}),
        ("SetRegistry", {"value": "x", "type": "{{ Type }}", "path": r"HKU:\a"}),
        ("ExecuteDocument", {"document": "arn:aws:imagebuilder:us-west-2:aws:component/x/1.0.0"}),
        ("ExecuteDocument", {"parameters": [{"name": "a", "value": "1"}]}),
    ],
)
def test_valid_inputs_are_accepted(action: str, given: dict[str, Value]) -> None:
    assert problems(action, given) == ""


@pytest.mark.parametrize(
    ("action", "given", "message"),
    [
        ("ExecutePowerShell", {}, "expected 'commands' or 'file', got neither"),
        ("ExecutePowerShell", {"commands": ["a"], "file": "a.ps1"}, "got both"),
        ("ExecutePowerShell", {"commands": []}, "at least one string"),
        ("ExecutePowerShell", {"file": "a.sh"}, "expected the path of a .ps1 file, got 'a.sh'"),
        ("S3Download", {"source": "https://bucket/key"}, "expected an s3://bucket/key URI"),
        ("S3Download", {"source": "s3://"}, "expected an s3://bucket/key URI"),
        ("S3Download", {"source": "s3:///key"}, "expected an s3://bucket/key URI"),
        ("S3Download", {"expectedBucketOwner": "12345"}, "an AWS account ID with 12 digits"),
        ("S3Upload", {"source": "a/*/b"}, "'*' is accepted only after the last path separator"),
        ("S3Upload", {"destination": "bucket/key"}, "expected an s3://bucket/key URI"),
        ("WebDownload", {"source": "ftp://example.com/a"}, "starts with http:// or https://"),
        ("WebDownload", {"source": "https://"}, "starts with http:// or https://"),
        ("WebDownload", {"checksum": SHA}, "'checksum' requires 'algorithm'"),
        ("WebDownload", {"algorithm": "MD5"}, "'algorithm' requires 'checksum'"),
        (
            "WebDownload",
            {"checksum": SHA, "algorithm": "MD5"},
            "expected 32 hexadecimal digits for MD5, got 64",
        ),
        ("WebDownload", {"checksum": "xyz", "algorithm": "MD5"}, "expected hexadecimal digits"),
        ("WebDownload", {"checksum": SHA, "algorithm": "CRC"}, "expected one of MD5, SHA1"),
        ("InstallMSI", {"reboot": "Maybe"}, "expected one of Allow, Force, Skip, got 'Maybe'"),
        ("InstallMSI", {"logOptions": "*Z"}, "one or more of the flags i w e a r u c m o p v x"),
        ("InstallMSI", {"properties": {"Reboot": "Force"}}, "the property Reboot may not be set"),
        ("UninstallMSI", {"properties": {"REINSTALLMODE": "x"}}, "may not be set"),
        ("UninstallMSI", {"properties": ["a"]}, "expected a map of names to strings, got a list"),
        ("Reboot", {"delaySeconds": "-1"}, "expected an integer of at least 0, got -1"),
        (
            "Reboot",
            {"delaySeconds": "soon"},
            "expected an integer of at most 18 digits, got 'soon'",
        ),
        ("UpdateOS", {"include": "KB1"}, "expected a list of strings, got 'KB1'"),
        ("SetRegistry", {"path": r"HKXX:\a"}, "expected a key below HKCR:"),
        ("SetRegistry", {"path": "HKLM:"}, "expected a key below HKCR:"),
        ("SetRegistry", {"path": r"SOFTWARE\a"}, "expected a key below HKCR:"),
        ("SetRegistry", {"type": "REG_SZ"}, "expected one of BINARY, DWORD"),
        ("SetRegistry", {"value": "1.1", "type": "DWORD"}, "expected an integer from 0 to"),
        ("SetRegistry", {"value": "4294967296", "type": "DWORD"}, "0 to 4294967295"),
        ("SetRegistry", {"value": "-1", "type": "QWORD"}, "0 to 18446744073709551615"),
        ("SetRegistry", {"value": "", "type": "DWORD"}, "expected an integer from 0 to"),
        ("SetRegistry", {"value": "abc", "type": "BINARY"}, "pairs of hexadecimal digits"),
        ("SetRegistry", {"value": ["a"], "type": "SZ"}, "expected one value for SZ, got a list"),
        ("SetRegistry", {"value": ["a", ""], "type": "MULTI_SZ"}, "non-empty strings for MULTI_SZ"),
        ("SetRegistry", {"value": ["a", "b\0c"], "type": "MULTI_SZ"}, "without null characters"),
        ("SetRegistry", {"value": "b\0c", "type": "SZ"}, "without null characters"),
        ("SetRegistry", {"value": {"a": "b"}, "type": "SZ"}, "got a mapping"),
        ("ExecuteDocument", {"document-s3-bucket-owner": "1"}, "12 digits"),
        ("ExecuteDocument", {"parameters": {"a": "b"}}, "expected a list of {name, value}"),
        (
            "ExecuteDocument",
            {"parameters": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]},
            "the parameter 'a' is given twice",
        ),
        ("CreateFile", {"permissions": "0789"}, "octal permissions of 3 or 4 digits"),
        ("CreateFile", {"permissions": "77777"}, "octal permissions of 3 or 4 digits"),
        ("CopyFile", {"source": r"C:\a*\b"}, "'*' is accepted only after the last path separator"),
        ("CopyFile", {"source": "a\0b"}, "expected a path without NUL characters"),
        ("CopyFile", {"overwrite": None}, "expected a boolean, got nothing"),
        ("AppendFile", {"encoding": "utf-7"}, "expected one of utf8"),
    ],
)
def test_invalid_inputs_are_rejected(action: str, given: dict[str, Value], message: str) -> None:
    assert message in problems(action, given)


def test_a_backslash_does_not_separate_folders_on_linux() -> None:
    assert problems("CopyFile", {"source": r"a*\b"}, L) == ""


@pytest.mark.parametrize(
    ("spelt", "meant"),
    [
        (r"HKLM:\SOFTWARE\A", r"HKEY_LOCAL_MACHINE\SOFTWARE\A"),
        (r"hkey_users\x\\", r"HKEY_USERS\x"),
    ],
)
def test_registry_paths_are_brought_to_their_long_names(spelt: str, meant: str) -> None:
    assert schema.schema("SetRegistry").fields["path"].parse(spelt, W) == meant


def test_leading_zeros_of_an_account_are_kept() -> None:
    field = schema.schema("S3Download").fields["expectedBucketOwner"]
    assert field.parse("012345678901", W) == "012345678901"
