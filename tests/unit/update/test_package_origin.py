"""How a Python package of awstoe was installed, and what a user can do to update it."""

import json
import sys

import pytest

from awstoe.update.package_origin import PackageOrigin, package_folder, this_package, update_hint

TREE = {"url": "file:///src/my%20tree", "dir_info": {}}
GIT = {"url": "https://user:secret@host/x.git", "vcs_info": {"vcs": "git", "commit_id": "1"}}


def hint(source: object, installer: str = "pip") -> str:
    return update_hint(
        PackageOrigin(source if source is None else json.dumps(source), installer, "/site-packages")
    )


@pytest.mark.parametrize(
    ("source", "installer", "text"),
    [
        (
            {**TREE, "dir_info": {"editable": True}},
            "pip",
            "it runs from the source tree /src/my tree",
        ),
        (TREE, "pip", f"then run: {sys.executable} -m pip install '/src/my tree'"),
        (TREE, "uv", "uv installed it from the source tree /src/my tree"),
        (TREE, "uv", "install it again in the same way"),
        (GIT, "pip", "pip installed it from the repository https://host/x.git: install a newer"),
        ({"url": "https://h/a.whl?token=x", "archive_info": {}}, "pip", "from https://h/a.whl: "),
        (
            {"url": "file:///d/a.whl", "archive_info": {}},
            "",
            "an installer installed it from /d/a.whl",
        ),
        (None, "pip", "pip installed it in /site-packages, but not from this project"),
        ([], "pip", "but not from this project"),
        ({"url": 1, "dir_info": 2}, "pip", "pip installed it from 1"),
    ],
)
def test_the_hint_fits_how_the_package_was_installed(
    source: object, installer: str, text: str
) -> None:
    assert text in hint(source, installer)


@pytest.mark.parametrize("source", [None, TREE, GIT, "x", {"url": "https://h/a.whl"}])
def test_no_hint_installs_a_name_from_an_index(source: object) -> None:
    found = hint(source)
    assert "install awstoe" not in found
    assert "--upgrade" not in found
    assert "secret" not in found


def test_a_copy_without_metadata_runs_from_its_folder() -> None:
    assert update_hint(None) == f"it runs from the folder {package_folder()}: update that folder"
    assert this_package() is not None
