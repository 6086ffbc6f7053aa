"""UpdateOS: install the operating system's updates.

- All updates are installed by default. With `include`, only those; `exclude` is taken away from
  what is left. `inputs` may be left out.
- Linux: names of packages, for apt-get, dnf, yum or zypper; needs root.
- Windows: KB numbers, or patterns with `*` that match the titles of updates, from the update source
  the machine is set to.
"""

from typing import Annotated, NamedTuple

from awstoe.actions.fields import TextList

EXAMPLE = """\
exclude:
  - ec2-hibinit-agent
"""


class Inputs(NamedTuple):
    """What UpdateOS is given."""

    include: Annotated[tuple[str, ...], TextList("The only updates to install.")] = ()
    exclude: Annotated[tuple[str, ...], TextList("Updates to leave out.")] = ()
