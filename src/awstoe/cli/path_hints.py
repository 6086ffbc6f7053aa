"""Says what to do about the path of a file that cannot be opened."""

from awstoe.host.files.shell_paths import file_url_path, shell_path, shell_path_hint


def path_hint(path: str) -> str:
    """Return what to write instead of ``path``, if that can be told."""
    if (plain := file_url_path(path)) is not None:
        return f"write {plain}"
    if found := shell_path(path):
        return shell_path_hint(found)
    if path.lower().startswith(("http://", "https://", "s3://")):
        return "download the file and give its path"
    if path.lstrip().startswith(("{", "[")):
        return "write the JSON into a file and give its path"
    return "check the path"
