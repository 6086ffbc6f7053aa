"""Writes docs/actions.md from the action modules. ``--check`` checks that it is up to date."""

import sys
from pathlib import Path

from awstoe.actions.reference import markdown
from awstoe_dev.environment import ROOT


def main() -> int:
    """Write or check the page, and return the exit code."""
    page = Path(ROOT, "docs", "actions.md")
    text = markdown()
    if "--check" not in sys.argv[1:]:
        page.write_text(text, encoding="utf-8")
        return 0
    if page.exists() and page.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write("docs/actions.md is out of date: run 'make docs'\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
