"""Copies the user's files and folders as ``cp`` does; each file appears complete or not at all.

A new file gets the source's permissions minus the umask; a replaced one keeps its own. A *twin*, as
a move to another file system makes, keeps owner, permissions, times and attributes.
"""

import errno
import os
from collections.abc import Callable
from typing import Final

from awstoe.errors import ActionError
from awstoe.host.files import (
    attributes,
    destinations,
    file_types,
    long_paths,
    regular_files,
    renaming,
    targets,
)
from awstoe.host.files.atomic_replace import AtomicReplacement, staging_name
from awstoe.host.files.oserrors import quoted
from awstoe.limits import MIB

_CHUNK: Final = 8 * MIB
_NO_KERNEL_COPY: Final = frozenset(
    {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF}
)
_PERMISSIONS: Final = 0o777


def copy_file(
    source: str,
    destination: str,
    *,
    checkpoint: Callable[[], None],
    overwrite: bool = True,
    follow_links: bool = True,
    twin: bool = False,
) -> None:
    """Copy one file.

    Args:
        source: A file.
        destination: The file to make or replace.
        checkpoint: Called between chunks.
        overwrite: Whether the destination may exist.
        follow_links: Whether to follow a link at either end.
        twin: Keep owner, permissions, times and attributes.

    Raises:
        ActionError: The source is not a file, or the destination cannot be one.
        OSError: The system does not allow it; the destination is unchanged.
    """
    destinations.refuse_same(source, destination)
    with regular_files.opened(source, follow_link=follow_links) as descriptor:
        info = os.fstat(descriptor)
        with AtomicReplacement(
            destination,
            mode=0o600 if twin else info.st_mode & _PERMISSIONS,
            overwrite=overwrite,
            follow_link=follow_links,
        ) as new:
            _pump(descriptor, new, info.st_size, checkpoint)
            if twin:
                attributes.preserve_everything(source, info, new.descriptor)
            new.commit(keep_old_attributes=not twin)


def _pump(
    descriptor: int, new: AtomicReplacement, size: int, checkpoint: Callable[[], None]
) -> None:
    """Copy all bytes, inside the kernel if possible (files in /proc have size 0)."""
    if size and hasattr(os, "copy_file_range"):
        try:
            while os.copy_file_range(descriptor, new.descriptor, _CHUNK):
                checkpoint()
        except OSError as error:
            if error.errno not in _NO_KERNEL_COPY:
                raise
    while data := os.read(descriptor, MIB):
        new.write(data)
        checkpoint()


def copy_link(source: str, destination: str, *, twin: bool = False) -> None:
    """Make a link like ``source``; replace a file or link at ``destination``.

    Raises:
        ActionError: The destination is a folder.
        OSError: The system does not allow it.
    """
    if file_types.file_type(destination) is file_types.FileType.FOLDER:
        raise destinations.collision(source, "a symbolic link", destination)
    place_link(os.readlink(source), destination)
    if twin:
        attributes.preserve_on_path(source, os.lstat(source), destination)


def place_link(target: str, path: str) -> None:
    """Make a symbolic link at ``path``; replace a file or link there in one step.

    Raises:
        OSError: The system does not allow it.
    """
    with targets.named(path) as held:
        staged = staging_name(os.path.dirname(held))
        renaming.place_link(target, staged)
        try:
            renaming.replace(staged, held)
        except OSError as error:
            renaming.unlink(staged)
            raise OSError(error.errno, error.strerror, path) from error


def copy_folder(
    source: str, destination: str, *, checkpoint: Callable[[], None], twin: bool = False
) -> int:
    """Copy the content of ``source`` to ``destination``, a new or an existing folder.

    Symbolic links inside are copied as links. A link to a folder at a destination counts as that
    folder.

    Returns:
        How many files were copied.

    Raises:
        ActionError: It contains a special file, or a file and a folder collide.
        OSError: The system does not allow it.
    """
    copied = 0
    made: list[tuple[str, str, os.stat_result]] = []
    pending = [(long_paths.deep(source), long_paths.deep(destination))]
    while pending:
        folder, twin_folder = pending.pop()
        info = os.stat(folder)
        if _make_folder(folder, twin_folder, info.st_mode):
            made.append((folder, twin_folder, info))
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            checkpoint()
            target = os.path.join(twin_folder, entry.name)
            if file_types.entry_is_link(entry):
                copy_link(entry.path, target, twin=twin)
            elif entry.is_dir(follow_symlinks=False):
                pending.append((entry.path, target))
            elif entry.is_file(follow_symlinks=False):
                copy_file(entry.path, target, checkpoint=checkpoint, follow_links=False, twin=twin)
                copied += 1
            else:
                raise ActionError(
                    f"{quoted(entry.path)} is {file_types.file_type(entry.path)}: only files,"
                    " folders and symbolic links can be copied",
                    hint="remove it, or copy with cp -a in an ExecuteBash step",
                )
    # Innermost first, and after the files: these permissions may not allow writing.
    for folder, twin_folder, info in reversed(made):
        if twin:
            attributes.preserve_on_path(folder, info, twin_folder)
        elif info.st_mode & 0o700 != 0o700:  # noqa: PLR2004 - what _make_folder added
            mode = os.stat(twin_folder).st_mode
            targets.set_mode(twin_folder, mode & 0o7777 & (info.st_mode | 0o7077))
    return copied


def _make_folder(source: str, path: str, mode: int) -> bool:
    """Make ``path``, writable for now; return whether it did not exist."""
    if os.path.isdir(path):
        return False
    if os.path.lexists(path):
        raise destinations.collision(source, "a folder", path)
    with targets.named(path) as held:
        os.mkdir(held, mode & _PERMISSIONS | 0o700)
    return True
