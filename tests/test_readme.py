"""The documentation is true: links have targets, and the README's tour does what it shows."""

import json
import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from awstoe.expressions.conditions import OPERATORS
from awstoe.expressions.loops import DELIMITERS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += [*sorted((ROOT / "changelog.d").glob("*.md")), *sorted((ROOT / ".github").rglob("*.md"))]

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
TOUR = re.compile(r"<!-- tour: (.*?) -->\n```\w*\n(.*?)```", re.DOTALL)
FENCED = re.compile(r"```.*?```", re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
SOURCE_FILE = re.compile(r"[\w./*-]+\.(py|c|h|in|md|ps1|sh|spec|svg|toml|txt|yml)")
NOT_SEARCHED = {
    *(".git", ".venv", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
    *("__pycache__", "dist", "out"),
}
NOT_IN_THE_TREE = {
    # written by the user in the tour; a device name of Windows
    "hello.yml",
    "con.txt",
    # made by a release
    "announcement.md",
    "install.ps1",
    "install.sh",
    "release-notes.md",
}
"""Names of files in the documentation that are not files of the repository."""


def tour() -> dict[str, str]:
    """Return the blocks of the README that are marked as part of the tour."""
    return dict(TOUR.findall(README.read_text()))


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def awstoe(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "awstoe", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCED.sub("", page.read_text())
    broken = []
    for link in LINK.findall(text):
        path, _, fragment = link.partition("#")
        if path.startswith(("https:", "http:")):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or ROOT not in target.parents:
            broken.append(link)
        elif fragment:
            anchors = {anchor(heading) for heading in HEADING.findall(target.read_text())}
            broken += [link] if fragment not in anchors else []
    assert not broken


@cache
def tree() -> tuple[str, ...]:
    """Return the paths of all files and folders of the repository, with ``/`` between names."""
    paths = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_SEARCHED]
        parent = Path(folder).relative_to(ROOT)
        paths += [(parent / name).as_posix() for name in (*folders, *files)]
    return tuple(paths)


def exists(name: str) -> bool:
    """Whether a file, folder or pattern is in the tree, by its path or the end of its path."""
    names = [name.rstrip("/"), f"{name}.py"]  # rules name modules without their extension
    return any(
        fnmatchcase(path, f"{root}{each}")
        for root in ("", "*/")
        for each in names
        for path in tree()
    )


def is_of_the_tree(code: str) -> bool:
    """Whether code in the documentation names a file or folder of the repository."""
    if code in NOT_IN_THE_TREE or re.search(r"[<>\s]", code):
        return False
    top = {path for path in tree() if "/" not in path}
    packages = {path.name for path in (ROOT / "src/awstoe").iterdir() if path.is_dir()}
    first, slash, _ = code.partition("/")
    return bool(SOURCE_FILE.fullmatch(code)) or bool(slash and first in top | packages)


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name != "CHANGELOG.md"],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_files_that_are_named_exist(page: Path) -> None:
    named = CODE.findall(FENCED.sub("", page.read_text()))
    assert not [code for code in named if is_of_the_tree(code) and not exists(code)]


def test_the_check_of_file_names_notices_a_missing_file() -> None:
    for name in ("docs/no-such-page.md", "host/no_such_module", "no_such_recipe.py"):
        assert is_of_the_tree(name)
        assert not exists(name)
    for name in (
        "docs/style.md",
        "host/files/paths",
        "cpython.py",
        "tests/**/*.yml",
        "install/*.in",
    ):
        assert is_of_the_tree(name)
        assert exists(name)
    assert not is_of_the_tree("AWS_REGION")


@pytest.mark.parametrize("command", ["run", "validate", "actions"])
def test_every_option_is_documented(command: str, tmp_path: Path) -> None:
    ended = awstoe(command, "--help", folder=tmp_path)
    assert ended.returncode == 0
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", ended.stdout)) - {"--help"}
    assert options
    text = "\n".join(page.read_text() for page in PAGES)
    missing = {option for option in options if not re.search(rf"{option}(?![\w-])", text)}
    assert not missing


@pytest.mark.skipif(sys.platform == "win32", reason="the tour shows paths of Linux")
def test_the_tour_runs_as_in_the_readme(tmp_path: Path) -> None:
    (title,) = (title for title in tour() if title.startswith("awstoe run"))
    (tmp_path / "tour.yml").write_text(tour()["document"])
    ended = awstoe(
        *shlex.split(title)[1:], "--state-directory", str(tmp_path / "state"), folder=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    expected, real = json.loads(tour()[title]), json.loads(ended.stdout)
    assert list(expected) == list(real)
    for masked in ("executionId", "logUrl"):
        del expected[masked], real[masked]
    assert expected == real
    assert (tmp_path / "greeting.txt").read_text() == "Hello Ada"


@pytest.mark.skipif(sys.platform == "win32", reason="the document is for bash")
def test_the_first_run_succeeds_with_five_lines(tmp_path: Path) -> None:
    document = tour()["hello"]
    assert document.count("\n") == 5
    (tmp_path / "hello.yml").write_text(document)
    state = ("--state-directory", str(tmp_path / "state"))
    ended = awstoe("run", "--documents", "hello.yml", *state, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["status"] == "success"


def test_the_problems_of_the_tour_are_those_in_the_readme(tmp_path: Path) -> None:
    (title,) = (title for title in tour() if title.startswith("awstoe validate"))
    lines = tour()["document"].splitlines(keepends=True)
    lines[8] = lines[8].replace("CreateFile", "CreateFil")
    lines[17] = lines[17].replace("path", "pth")
    (tmp_path / "wrong.yml").write_text("".join(lines))
    ended = awstoe(*shlex.split(title)[1:], folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.strip() == tour()[title].strip()


def test_the_first_commands_are_targets_of_the_makefile() -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    commands = [line.split("#")[0].split() for line in block.splitlines()]
    assert [command[0] for command in commands] == ["make", "make"]
    assert {command[1] for command in commands} <= set(targets)


def test_the_page_on_documents_names_every_operator_and_every_key_of_a_loop() -> None:
    page = (ROOT / "docs" / "documents.md").read_text(encoding="utf-8")

    rows = [line for line in page.splitlines() if line.startswith("| `")]
    first_cells = " ".join(row.split(" | ")[0] for row in rows)
    named = set(CODE.findall(first_cells))
    assert named >= set(OPERATORS)
    assert named >= {"name", "for", "forEach", "forEach.list", "forEach.delimiter"}
    (delimiters,) = [row for row in rows if row.startswith("| `forEach.delimiter`")]
    assert [word for word in DELIMITERS if word.strip() and f"`{word}`" not in delimiters] == []
