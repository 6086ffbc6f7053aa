"""Works out where copies and moves go, and checks ``source`` and ``destination`` before they start.

A destination that ends in a path separator is a folder; each source goes into it under its own
name. Several sources need such a destination.
"""

import os
from typing import NamedTuple

from awstoe.errors import ActionError
from awstoe.host.files import atomic_replace, file_types, long_paths, paths, wildcards
from awstoe.host.files.oserrors import quoted
from awstoe.host.platforms import current


class Transfer(NamedTuple):
    """One file or folder to copy or move."""

    source: str
    destination: str


def own_name(path: str) -> str:
    """Return the name that a file or folder keeps in another folder; for ``.``, the real one.

    Raises:
        ActionError: A root has no name.
    """
    name = os.path.basename(paths.without_end_separators(path, current()))
    if name in ("", os.curdir, os.pardir):
        name = os.path.basename(os.path.realpath(path))
    if not name:
        raise ActionError(f"{quoted(path)} is the root, which has no name to keep")
    return name


def transfers(source: str, destination: str, wanted: str, *, overwrite: bool) -> list[Transfer]:
    """Return what goes where.

    Args:
        source: A path, or a pattern.
        destination: A path, or a folder when it ends in a separator.
        wanted: ``file`` or ``folder``.
        overwrite: Whether destinations may exist.

    Raises:
        ActionError: Nothing matches, or the destination does not fit, or must not exist and does.
        OSError: The source cannot be read.
    """
    platform = current()
    sources = wildcards.sources(source, wanted)
    into = paths.is_folder_form(destination, platform)
    if len(sources) > 1 and not into:
        raise ActionError(
            f"{len(sources)} {wanted}s match {quoted(source)}, so the destination has to be a"
            f" folder, got {quoted(destination)}",
            hint=f"end the destination with a separator: {quoted(destination + os.sep)}",
        )
    if wanted == "file" and not into and os.path.isdir(destination):
        if not overwrite:
            raise atomic_replace.exists(destination)
        into = True
    return [
        _checked(
            Transfer(
                each, paths.join(destination, own_name(each), platform) if into else destination
            ),
            overwrite=overwrite,
        )
        for each in sources
    ]


def _checked(transfer: Transfer, *, overwrite: bool) -> Transfer:
    if not overwrite and os.path.lexists(transfer.destination):
        raise atomic_replace.exists(transfer.destination)
    return transfer


def require_source(path: str, wanted: str) -> None:
    """Check that a source exists and has the right type, before folders are made for it.

    Raises:
        ActionError: It is not a ``wanted`` (file, folder).
        OSError: It cannot be read.
    """
    if wanted == "file":
        file_types.require_file(path)
    else:
        file_types.require_folder(path)


def refuse_same(source: str, destination: str) -> None:
    """Check that two paths are not the same file.

    Raises:
        ActionError: They are.
    """
    try:
        same = os.path.samefile(source, destination)
    except OSError:
        return
    if same:
        raise ActionError(
            f"{quoted(source)} and {quoted(destination)} are the same file",
            hint="use another destination",
        )


def refuse_inside(source: str, destination: str) -> None:
    """Check that a destination is not its source or inside it, links resolved.

    Raises:
        ActionError: It is.
    """
    inner, outer = (os.path.normcase(os.path.realpath(path)) for path in (destination, source))
    if inner != outer and not inner.startswith(os.path.join(outer, "")):
        return
    relation = "is the source" if inner == outer else f"is inside the source {quoted(source)}"
    raise ActionError(
        f"the destination {quoted(destination)} {relation}",
        hint="use a destination outside the source",
    )


def require_mergeable(source: str, destination: str) -> None:
    """Check, before anything is changed, that no file and folder would collide in a merge.

    Raises:
        ActionError: A folder would replace a file, or a file a folder.
        OSError: A folder cannot be read.
    """
    pending = [(long_paths.deep(source), long_paths.deep(destination))]
    while pending:
        folder, beside = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                target = os.path.join(beside, entry.name)
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder and os.path.isdir(target):
                    pending.append((entry.path, target))
                elif is_folder and os.path.lexists(target):
                    raise collision(entry.path, "a folder", target)
                elif not is_folder and os.path.isdir(target):
                    raise collision(entry.path, "not a folder", target)


def collision(source: str, what: str, target: str) -> ActionError:
    """Return the error for a file and a folder that would have the same path."""
    return ActionError(
        f"{quoted(source)} is {what}, but {quoted(target)} is {file_types.file_type(target)}",
        hint="a folder and a file never replace each other: remove one of them",
    )
