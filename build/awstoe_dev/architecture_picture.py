"""Draws docs/architecture.svg and writes the tables of docs/architecture.md from the import rules.

The picture is an N-squared chart: the packages form a staircase, importers above what they import.
A line runs from each package to the right, and one down to each package. A dot where two lines
cross says that the first may import the second. ``--check`` fails if one of the files is stale.
"""

import sys
from pathlib import Path
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from awstoe_dev.environment import ROOT
from awstoe_dev.import_rules import ALLOWED, DOORS, OPEN_TO_ALL, PRODUCT_DOORS

PICTURE: Final = Path(ROOT, "docs", "architecture.svg")
PAGE: Final = Path(ROOT, "docs", "architecture.md")

_PRODUCT: Final = "awstoe."
_LEFT_OUT: Final = {"awstoe", "awstoe.__main__", *OPEN_TO_ALL}
"""Rows that are no packages, or that everything may import."""
_PURPOSES: Final = {
    "awstoe_dev": "environment, lock, generated pages",
    "awstoe_release": "from a tag to verified files in all regions",
    "awstoe_build": "single-file executables from pinned sources",
    "awstoe_signing": "keys, signatures, trust metadata",
    "awstoe.cli": "arguments in, text and exit codes out",
    "awstoe.session": "one process's part of a run: folders, resuming, reboots",
    "awstoe.reporting": "logs, record files, progress, console",
    "awstoe.engine": "plan, runner, steps, events, records",
    "awstoe.document": "bytes to a typed document, with all problems",
    "awstoe.actions": "one module per action, their table and schemas",
    "awstoe.aws": "the one place for calls to AWS",
    "awstoe.state": "journal, manifest, lock of a run",
    "awstoe.update": "trust metadata, decision, download, swap",
    "awstoe.expressions": "references, conditions, patterns, loops: no I/O",
    "awstoe.host": "the one place that touches the operating system",
    "awstoe.trust": "who signed what: bytes and keys in, a verdict out",
}
_FOLDERS: Final = {
    "awstoe_build": "build",
    "awstoe_dev": "build",
    "awstoe_signing": "signing",
    "awstoe_release": "release",
}

_STEP: Final = 46
"""Height of a stair, and its width."""
_BOX: Final = 140
_LEFT: Final = 300
"""Space for the text to the left of the first box."""
_TOP: Final = 24
_LEGEND: Final = 96

_STYLE: Final = """\
    .card { fill: #ffffff; stroke: #d0d7de }
    text { font: 14px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
    .name { font-weight: 600; text-anchor: middle; fill: #ffffff }
    .purpose { font-size: 13px; text-anchor: end }
    .rooms { font-size: 12px; text-anchor: end; fill: #59636e }
    .note { font-size: 13px; fill: #59636e }
    .product { fill: #0b5cad }
    .tool { fill: #8a4600 }
    .line { stroke: #c3cad2; stroke-width: 1.5; fill: none }
    .tip { fill: #8b949e }
    .whole { fill: #1f2328 }
    .part { fill: #ffffff; stroke: #1f2328; stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
      .card { fill: #151b23; stroke: #3d444d }
      text { fill: #f0f6fc }
      .rooms, .note { fill: #a9b4c0 }
      .product { fill: #1f6feb }
      .tool { fill: #a85b11 }
      .line { stroke: #4a535e }
      .whole { fill: #f0f6fc }
      .part { fill: #151b23; stroke: #f0f6fc }
    }"""


class Package(NamedTuple):
    """One box of the picture."""

    name: str
    whole: frozenset[str]
    """Packages that all of it may import, all modules of them."""
    part: frozenset[str]
    """Packages of which it may import some modules, or which only one of its modules may import."""

    @property
    def imports(self) -> frozenset[str]:
        """All packages that it may import something of."""
        return self.whole | self.part

    @property
    def is_tool(self) -> bool:
        """Whether it is tooling, no part of the product."""
        return not self.name.startswith(_PRODUCT)

    @property
    def label(self) -> str:
        """The name as the picture shows it."""
        return self.name.removeprefix(_PRODUCT)


def main() -> int:
    """Write the picture and the tables, or compare them."""
    pages = {PICTURE: picture(), PAGE: page(PAGE.read_text(encoding="utf-8"))}
    if "--check" not in sys.argv[1:]:
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8", newline="\n")
        return 0
    stale = [
        path.name
        for path, text in pages.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for name in stale:
        sys.stderr.write(f"docs/{name} does not match the import rules: run 'make docs'\n")
    return 1 if stale else 0


def packages() -> list[Package]:
    """Return the packages, importers first."""
    names = set(map(_package_of, ALLOWED)) - _LEFT_OUT
    found = []
    for name in names:
        rows = {row: ALLOWED[row] for row in ALLOWED if _package_of(row) == name}
        targets = {each for allowed in rows.values() for each in allowed}
        whole = {each for each in rows.get(name, ()) if each in names}
        part = {_package_of(each) for each in targets} & names - whole - {name}
        found.append(Package(name, frozenset(whole), frozenset(part)))
    depths = _depths({each.name: each.imports for each in found})
    return sorted(found, key=lambda each: (not each.is_tool, -depths[each.name], each.name))


def _package_of(module: str) -> str:
    """Return the package that a module belongs to: ``awstoe.host`` for ``awstoe.host.files``."""
    return ".".join(module.split(".")[: 2 if module.startswith(_PRODUCT) else 1])


def _depths(graph: dict[str, frozenset[str]]) -> dict[str, int]:
    """Return the length of the longest chain of imports below each package."""
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            depths[name] = 1 + max(map(depth, graph[name]), default=-1)
        return depths[name]

    for name in graph:
        depth(name)
    return depths


def _rooms(package: Package) -> list[str]:
    """Return the names of a package's folders."""
    source = "src" if not package.is_tool else _FOLDERS[package.name]
    folder = Path(ROOT, source, *package.name.split("."))
    return sorted(path.parent.name for path in folder.glob("*/__init__.py"))


def picture() -> str:
    """Return the picture as SVG."""
    stairs = packages()
    place = {package.name: number for number, package in enumerate(stairs)}
    width = _LEFT + _BOX + _STEP * len(stairs)
    height = _TOP + _STEP * len(stairs) + _LEGEND
    lines: list[str] = []
    dots: list[str] = []
    boxes: list[str] = []
    for number, package in enumerate(stairs):
        right, middle = _corner(number)
        if package.imports:
            end = _column(max(place[each] for each in package.imports))
            lines.append(f'<path class="line" d="M{right} {middle} H{end}"/>')
        importers = [place[each.name] for each in stairs if package.name in each.imports]
        if importers:
            column, top = _column(number), _corner(min(importers))[1]
            lines.append(f'<path class="line" d="M{column} {top} V{middle - 22}"/>')
            tip = f"M{column - 5} {middle - 24} h10 l-5 8 z"
            lines.append(f'<path class="tip" d="{tip}"/>')
        for each in sorted(package.imports, key=place.__getitem__):
            kind = "whole" if each in package.whole else "part"
            dots.append(_dot(kind, _column(place[each]), middle))
        boxes += _box(package, number)
    drawing = "\n  ".join(filter(None, [*lines, *dots, *boxes, *_legend(height)]))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img" aria-labelledby="title">\n'
        '  <title id="title">The packages as a staircase; imports go down only</title>\n'
        f"  <!-- Written by 'make docs' from build/awstoe_dev/import_rules.py. -->\n"
        f"  <style>\n{_STYLE}\n  </style>\n"
        f'  <rect class="card" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>\n'
        f"  {drawing}\n</svg>\n"
    )


def _corner(number: int) -> tuple[int, int]:
    """Return the right edge and the middle line of a box."""
    return _LEFT + _BOX + _STEP * number, _TOP + _STEP * number + _STEP // 2


def _column(number: int) -> int:
    """Return where the line down to a box runs."""
    return _corner(number)[0] - _STEP // 2


def _dot(kind: str, x: int, y: int) -> str:
    return f'<circle class="{kind}" cx="{x}" cy="{y}" r="{5 if kind == "whole" else 4.5}"/>'


def _box(package: Package, number: int) -> list[str]:
    right, middle = _corner(number)
    left = right - _BOX
    kind = "tool" if package.is_tool else "product"
    box = (
        f'<rect class="{kind}" x="{left}" y="{middle - 15}" width="{_BOX}" height="30" rx="5"/>'
        f'<text class="name" x="{left + _BOX // 2}" y="{middle + 5}">{package.label}</text>'
    )
    rooms = " · ".join(_rooms(package))
    purpose = escape(_PURPOSES[package.name])
    line = middle - 3 if rooms else middle + 4
    return [
        box,
        f'<text class="purpose" x="{left - 12}" y="{line}">{purpose}</text>',
        f'<text class="rooms" x="{left - 12}" y="{line + 15}">{rooms}</text>' if rooms else "",
    ]


def _legend(height: int) -> list[str]:
    top = height - _LEGEND + 26
    shared = sorted(each.removeprefix(_PRODUCT) for each in OPEN_TO_ALL if "__" not in each)
    return [
        _dot("whole", 30, top),
        f'<text class="note" x="44" y="{top + 5}">may import the package</text>',
        _dot("part", 30, top + 24),
        f'<text class="note" x="44" y="{top + 29}">'
        "may import some modules of the package, or only some modules may import it</text>",
        f'<text class="note" x="24" y="{top + 53}">'
        f"Blue: the product. Brown: its tooling. All may import: {', '.join(shared)}.</text>",
    ]


def page(text: str) -> str:
    """Return the page with its tables written anew between their marks."""
    for name, table in (("import rules", _rules()), ("doors", _doors())):
        start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, found, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            sys.exit(f"{PAGE}: the marks '{start.strip()}' and '{end}' are missing")
        text = f"{before}{start}{table}\n{end}{after}"
    return text


def _rules() -> str:
    rows = ["| package or module | may import |", "|---|---|"]
    for row, allowed in ALLOWED.items():
        if row in OPEN_TO_ALL or row == "awstoe":
            continue
        targets = ", ".join(f"`{each.removeprefix(_PRODUCT)}`" for each in sorted(allowed))
        rows.append(f"| `{row.removeprefix(_PRODUCT)}` | {targets or 'nothing'} |")
    return "\n".join(rows)


def _doors() -> str:
    rows = ["| library | only in |", "|---|---|"]
    for library, modules in DOORS.items():
        places = ", ".join(f"`{each.removeprefix(_PRODUCT)}`" for each in modules)
        rows.append(f"| `{library}` | {places} |")
    for library, modules in PRODUCT_DOORS.items():
        places = ", ".join(f"`{each.removeprefix(_PRODUCT)}`" for each in modules)
        rows.append(f"| `{library}`, in `src/` | {places or 'no module'} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
