"""Answers pip's question for the metadata of a source distribution that maturin builds.

pip asks before it saves the file, and cryptography's real backend would want Rust and its crates
for the answer, which stands in the distribution itself.
"""

import email
import os
import shutil


def prepare_metadata_for_build_wheel(folder: str, _settings: object = None) -> str:
    """Copy the metadata of the distribution in the current folder; gives the place's name.

    Raises:
        OSError: It cannot be copied.
    """
    with open("PKG-INFO", encoding="utf-8") as stream:
        facts = email.message_from_file(stream)
    name = f"{facts['Name']}-{facts['Version']}.dist-info"
    os.mkdir(os.path.join(folder, name))
    shutil.copy("PKG-INFO", os.path.join(folder, name, "METADATA"))
    return name
