"""Moves the user's files and folders: renames them if possible, or copies and then removes them.

Between file systems the source is removed only once the destination is a complete copy, with owner,
permissions, times and attributes.
"""

import errno
import os
from collections.abc import Callable

from awstoe.errors import ActionError
from awstoe.host.files import (
    copying,
    destinations,
    file_types,
    long_paths,
    paths,
    renaming,
    targets,
    tree,
)
from awstoe.host.files.atomic_replace import exists, make_parents, staging_name
from awstoe.host.files.file_types import FileType
from awstoe.host.files.oserrors import quoted
from awstoe.host.platforms import current


def move_file(
    source: str, destination: str, *, overwrite: bool, checkpoint: Callable[[], None]
) -> None:
    """Move a file, or a symbolic link itself; replace a file or link at the destination.

    Raises:
        ActionError: The source is not a file, or the destination cannot be one.
        OSError: The system does not allow it; the source still exists.
    """
    if file_types.file_type(source) is not FileType.LINK:
        file_types.require_file(source)
    destinations.refuse_same(source, destination)
    there = file_types.file_type(destination)
    if there is not FileType.MISSING and not overwrite:
        raise exists(destination)
    if there not in (FileType.MISSING, FileType.FILE, FileType.LINK):
        raise ActionError(
            f"{quoted(destination)} is {there}; a file cannot replace it",
            hint="use the path of a file, or remove what is there first",
        )
    make_parents(destination)
    try:
        _replace(source, destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _carry_across(source, destination, checkpoint)


def _replace(source: str, destination: str) -> None:
    with targets.named(source) as old, targets.named(destination) as new:
        renaming.replace(old, new)


def _carry_across(source: str, destination: str, checkpoint: Callable[[], None]) -> None:
    """Move a file or link to another file system."""
    if file_types.is_link(source):
        copying.copy_link(source, destination, twin=True)
    else:
        copying.copy_file(source, destination, checkpoint=checkpoint, follow_links=False, twin=True)
    with targets.named(source) as held:
        renaming.unlink(held)


def move_folder(source: str, destination: str, *, checkpoint: Callable[[], None]) -> None:
    """Move a folder, or merge it into an existing one and replace files with the same names.

    Raises:
        ActionError: The source is not a folder or is a link to one, the destination is inside it,
            or a file and a folder collide.
        OSError: The system does not allow it; nothing is lost, but a merge may be incomplete.
    """
    if file_types.file_type(_bare(source)) is FileType.LINK:
        raise ActionError(
            f"{quoted(source)} is a symbolic link, not a folder",
            hint="use the path of its target, or move the link with MoveFile",
        )
    file_types.require_folder(source)
    destinations.refuse_inside(source, destination)
    if os.path.isdir(destination):
        destinations.require_mergeable(source, destination)
        _merge(source, destination, checkpoint)
        return
    if os.path.lexists(destination):
        raise destinations.collision(source, "a folder", destination)
    make_parents(_bare(destination))
    _place_folder(source, destination, checkpoint)


def _place_folder(source: str, destination: str, checkpoint: Callable[[], None]) -> None:
    """Move a folder to a path that does not exist."""
    try:
        with targets.named(source) as old, targets.named(destination) as new:
            renaming.rename(old, new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        staged = staging_name(os.path.dirname(_bare(destination)))
        try:
            copying.copy_folder(source, staged, checkpoint=checkpoint, twin=True)
            renaming.rename(staged, destination)
        except BaseException:
            if os.path.lexists(staged):
                tree.remove(staged, _never_stop)
            raise
        tree.remove(source, checkpoint)


def _bare(path: str) -> str:
    return paths.without_end_separators(path, current())


def _never_stop() -> None:
    """Do not stop: an incomplete copy is removed even while the run is being stopped."""


def _merge(source: str, destination: str, checkpoint: Callable[[], None]) -> None:
    emptied = []
    pending = [(long_paths.deep(source), long_paths.deep(destination))]
    while pending:
        folder, beside = pending.pop()
        emptied.append(folder)
        with os.scandir(folder) as entries:
            listed = list(entries)
        for entry in listed:
            checkpoint()
            target = os.path.join(beside, entry.name)
            if file_types.entry_is_link(entry) or not entry.is_dir(follow_symlinks=False):
                _move_entry(entry.path, target, checkpoint)
            elif os.path.isdir(target):
                pending.append((entry.path, target))
            else:
                _place_folder(entry.path, target, checkpoint)
    for folder in reversed(emptied):
        renaming.rmdir(folder)


def _move_entry(source: str, target: str, checkpoint: Callable[[], None]) -> None:
    destinations.refuse_same(source, target)
    try:
        _replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _carry_across(source, target, checkpoint)
