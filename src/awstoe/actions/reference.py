"""Renders the reference of the action modules for a terminal, as JSON and as Markdown.

It comes from the schemas that validation uses, so the reference and validation cannot disagree.
"""

import json
from collections.abc import Iterable
from typing import Final

from awstoe.actions.fields import Field
from awstoe.actions.schema import Schema, schema
from awstoe.actions.table import ACTIONS, Shape
from awstoe.expressions.values import Value
from awstoe.host.platforms import Platform

_SHAPES: Final = {
    Shape.LIST: "a list of mappings, each one operation",
    Shape.MAPPING: "one mapping",
    Shape.CONDITION: "one condition, as in the `if` of a step",
}
_NARROWEST: Final = 15
"""Columns that are worth wrapping into."""
_NOT_IMPLEMENTED: Final = "not in this version: it can be validated but not run"


def _platforms(platforms: Iterable[Platform]) -> list[str]:
    return sorted(str(platform) for platform in platforms)


def _default(default: object) -> Value:
    """Return the default as a JSON value."""
    if isinstance(default, tuple):
        return [str(entry) for entry in default]
    if default is None or isinstance(default, bool | int | str):
        return default
    return str(default)


def _input(found: Schema, name: str, field: Field) -> dict[str, Value]:
    required = name in found.required
    return {
        "name": name,
        "type": field.kind,
        "required": required,
        "default": None if required else _default(found.defaults[name]),
        "choices": list[Value](field.choices) if field.choices else None,
        "platforms": list[Value](_platforms(field.platforms & found.row.platforms)),
        "help": field.help,
    }


def _summary(found: Schema) -> dict[str, Value]:
    return {
        "name": found.name,
        "summary": found.summary,
        "platforms": list[Value](_platforms(found.row.platforms)),
        "implemented": found.row.implemented,
    }


def _entry(found: Schema) -> dict[str, Value]:
    return _summary(found) | {
        "inputsShape": str(found.row.shape),
        "inputsOptional": found.row.inputs_optional,
        "inputs": [_input(found, name, field) for name, field in found.fields.items()],
        "outputs": [{"name": each.name, "help": each.help} for each in found.outputs],
        "description": found.description,
        "example": found.example,
    }


def summary(name: str) -> str:
    """Return what an action does, in one line.

    Raises:
        KeyError: There is no such action.
    """
    return schema(name).summary


def overview_json(names: Iterable[str] = ACTIONS) -> str:
    """Return actions (default: all) as a JSON list."""
    return json.dumps([_summary(schema(name)) for name in names], indent=4)


def entry_json(name: str) -> str:
    """Return one action as a JSON object.

    Raises:
        KeyError: There is no such action.
    """
    return json.dumps(_entry(schema(name)), indent=4, ensure_ascii=False)


def overview_text(names: Iterable[str] = ACTIONS, *, width: int | None = None) -> str:
    """Return actions (default: all) as a table for a terminal.

    Args:
        names: The actions.
        width: The columns of the terminal; None for lines of any length.
    """
    rows = []
    for name in names:
        found = schema(name)
        mark = "" if found.row.implemented else "  (not in this version)"
        rows.append([name, ", ".join(_platforms(found.row.platforms)), found.summary + mark])
    return _table(["NAME", "PLATFORMS", "WHAT IT DOES"], rows, width)


def entry_text(name: str, *, width: int | None = None) -> str:
    """Return one action as text for a terminal.

    Args:
        name: The action.
        width: The columns of the terminal; None for lines of any length.

    Raises:
        KeyError: There is no such action.
    """
    found = schema(name)
    lines = [
        f"{name}: {found.summary}",
        f"Platforms: {', '.join(_platforms(found.row.platforms))}",
    ]
    if not found.row.implemented:
        lines.append(f"Note: {_NOT_IMPLEMENTED}")
    lines += ["", _inputs_sentence(found), ""]
    if found.fields:
        lines += [_table(*_input_rows(found), width), ""]
    if found.outputs:
        lines.append("Outputs:")
        lines += [_wrapped(f"  {each.name}: {each.help}", width, "    ") for each in found.outputs]
        lines.append("")
    lines += [*_paragraphs(found.description, width), "", "Example:", ""]
    lines += [f"    {line}" for line in _example_step(found)]
    return "\n".join(lines)


def markdown() -> str:
    """Return all actions as the page docs/actions.md."""
    lines = [
        "# Action modules",
        "",
        "<!-- Generated from the action modules; do not edit. -->",
        "",
        "Every string in the inputs can contain references such as `{{ Parameter }}` and"
        ' `{{ phase.step.outputs[0].name }}`. Write booleans as `true` or `"true"`. A number given'
        " for a string keeps its digits, so `0644` stays `0644`. A single mapping is accepted where"
        " a list is documented, and a list with one entry where a mapping is documented.",
        "",
        "| module | platforms | what it does |",
        "|---|---|---|",
    ]
    for name in ACTIONS:
        found = schema(name)
        mark = "" if found.row.implemented else " *(not in this version)*"
        platforms = ", ".join(_platforms(found.row.platforms))
        lines.append(f"| [{name}](#{name.lower()}) | {platforms} | {found.summary}{mark} |")
    for name in ACTIONS:
        lines += ["", *_markdown_entry(schema(name))]
    return "\n".join(lines) + "\n"


def _markdown_entry(found: Schema) -> list[str]:
    capital = found.summary[:1].upper() + found.summary[1:]
    lines = [
        f"## {found.name}",
        "",
        f"{capital}. Platforms: {', '.join(_platforms(found.row.platforms))}.",
    ]
    if not found.row.implemented:
        lines += ["", f"**{_NOT_IMPLEMENTED[0].upper()}{_NOT_IMPLEMENTED[1:]}.**"]
    lines += ["", _inputs_sentence(found)]
    if found.fields:
        head, rows = _input_rows(found)
        lines += ["", _markdown_row(head), _markdown_row("---" for _ in head)]
        lines += [_markdown_row([f"`{row[0]}`", *row[1:]]) for row in rows]
    if found.outputs:
        lines += ["", "| output | contents |", "|---|---|"]
        lines += [f"| `{each.name}` | {each.help} |" for each in found.outputs]
    return [
        *lines,
        "",
        found.description,
        "",
        "```yaml",
        *_example_step(found),
        "```",
    ]


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _inputs_sentence(found: Schema) -> str:
    optional = " (optional)" if found.row.inputs_optional else ""
    return f"Inputs: {_SHAPES[found.row.shape]}{optional}."


def _input_rows(found: Schema) -> tuple[list[str], list[list[str]]]:
    rows = []
    for name, field in found.fields.items():
        default = "required" if name in found.required else _shown(found.defaults[name])
        words = [field.help]
        if field.choices:
            words.append(f"One of {', '.join(field.choices)}.")
        if field.platforms & found.row.platforms != found.row.platforms:
            words.append(f"Only on {', '.join(_platforms(field.platforms))}.")
        rows.append([name, field.kind, default, " ".join(words)])
    return ["input", "type", "default", "meaning"], rows


def _shown(default: object) -> str:
    """Return the default as text for a table."""
    if default is None or default == ():
        return "none"
    if isinstance(default, bool):
        return "true" if default else "false"
    return str(default) or "empty"


def _example_step(found: Schema) -> list[str]:
    lines = [f"- name: {found.name}Example", f"  action: {found.name}", "  inputs:"]
    return lines + [f"    {line}".rstrip() for line in found.example.splitlines()]


def _table(head: list[str], rows: list[list[str]], width: int | None) -> str:
    """Return the rows in aligned columns; the last column is not padded, but wrapped."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head) - 1)]
    indent = " " * sum(each + 2 for each in widths)
    return "\n".join(
        _wrapped(
            "  ".join(
                [*(cell.ljust(each) for cell, each in zip(row, widths, strict=False)), row[-1]]
            ),
            width,
            indent,
        )
        for row in [head, *rows]
    )


def _paragraphs(description: str, width: int | None) -> list[str]:
    """Return a description in Markdown as text, in lines of up to ``width`` columns."""
    lines = description.replace("`", "").split("\n")
    if width is None:
        return lines
    paragraphs: list[str] = []
    for line in lines:
        starts = not line or line.startswith(("- ", "|")) or not paragraphs or not paragraphs[-1]
        if starts or paragraphs[-1].startswith("|"):
            paragraphs.append(line)
        else:
            paragraphs[-1] += f" {line.strip()}"
    return [_wrapped(each, width, "  " if each.startswith("- ") else "") for each in paragraphs]


def _wrapped(line: str, width: int | None, indent: str) -> str:
    """Return a line in lines of up to ``width`` columns, all but the first with an indent."""
    if width is None or len(line) <= width or len(indent) > width - _NARROWEST:
        return line
    import textwrap  # noqa: PLC0415 - only a terminal needs it

    # A table's padding must stay: only the part after the indent is wrapped.
    start, rest = line[: len(indent)], line[len(indent) :]
    parts = textwrap.wrap(
        rest, width - len(indent), break_long_words=False, break_on_hyphens=False
    ) or [""]
    return start + f"\n{indent}".join(parts)
