"""A replacement for the build backend maturin that only returns a distribution's metadata.

pip requires the metadata before it saves a source distribution. cryptography's real backend would
need Rust and its crates to produce it, although the distribution itself contains it.
"""

import email
import os
import shutil


def prepare_metadata_for_build_wheel(folder: str, _settings: object = None) -> str:
    """Copy the metadata of the distribution in the current folder; return the new folder's name.

    Raises:
        OSError: The metadata cannot be copied.
    """
    with open("PKG-INFO", encoding="utf-8") as stream:
        metadata = email.message_from_file(stream)
    name = f"{metadata['Name']}-{metadata['Version']}.dist-info"
    os.mkdir(os.path.join(folder, name))
    shutil.copy("PKG-INFO", os.path.join(folder, name, "METADATA"))
    return name
