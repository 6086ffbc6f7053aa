"""The tables of foreign words agree with what is accepted."""

from collections.abc import Collection

import pytest

from awstoe.actions import schema
from awstoe.actions.table import ACTIONS
from awstoe.document import advice, foreign_words, keys
from awstoe.document.advice import Table
from awstoe.document.model import Branch, OnFailure
from awstoe.expressions import conditions
from awstoe.host.platforms import Platform

INPUTS = {name for action in ACTIONS for name in schema.schema(action).fields}
CHOICES = {
    choice
    for action in ACTIONS
    for field in schema.schema(action).fields.values()
    for choice in field.choices
}
OPERATORS = (*conditions.OPERATORS, *conditions.LOGICAL)
TABLES: dict[advice.Words, tuple[Table, Collection[str]]] = {
    "DOCUMENT": (foreign_words.DOCUMENT, keys.DOCUMENT.known),
    "PHASE": (foreign_words.PHASE, keys.PHASE.known),
    "SCRIPT": (foreign_words.SCRIPT, keys.STEP.known),
    "STEP": (foreign_words.STEP, keys.STEP.known),
    "PARAMETER": (foreign_words.PARAMETER, keys.PARAMETER.known),
    "CONSTANT": (foreign_words.CONSTANT, keys.CONSTANT.known),
    "LOOP": (foreign_words.LOOP, keys.LOOP.known),
    "COUNT": (foreign_words.COUNT, keys.COUNT.known),
    "INPUT": (foreign_words.INPUT, INPUTS),
    "OPERATOR": (foreign_words.OPERATOR, OPERATORS),
    "ACTION": (foreign_words.ACTION, ACTIONS),
    "ON_FAILURE": (foreign_words.ON_FAILURE, [str(value) for value in OnFailure]),
    "BRANCH": (foreign_words.BRANCH, [str(value) for value in Branch]),
    "CHOICE": (foreign_words.CHOICE, CHOICES),
    "PHASE_NAME": (foreign_words.PHASE_NAME, ("build", "validate", "test")),
}
ROWS = [
    pytest.param(row, known, id=f"{name}-{row.words.split()[0]}")
    for name, (table, known) in TABLES.items()
    for row in table
]


def test_every_table_is_checked_here() -> None:
    tables = {name for name in vars(foreign_words) if name.isupper() and name[0] != "_"}

    assert tables == TABLES.keys()


@pytest.mark.parametrize(("row", "known"), ROWS)
def test_a_row_can_be_found_and_names_what_exists(row: advice.Row, known: Collection[str]) -> None:
    assert row.hint or row.keys
    assert all(advice.fold(word) == word for word in row.words.split())
    assert {key for key in row.keys if "{" not in key} <= set(known)


@pytest.mark.parametrize("name", sorted(TABLES.keys() - {"INPUT"}))
def test_no_word_is_accepted_where_it_is_foreign(name: advice.Words) -> None:
    table, known = TABLES[name]
    words = {word for row in table for word in row.words.split()}

    assert words.isdisjoint(advice.fold(key) for key in known)


@pytest.mark.parametrize("name", TABLES)
def test_every_word_has_an_advice_on_each_platform(name: advice.Words) -> None:
    table, known = TABLES[name]
    for platform in Platform:
        for row in table:
            for word in row.words.split():
                found = advice.find(name, word, known, {platform})

                assert found is not None
                assert found.hint
                assert found.key in ("", *known)


@pytest.mark.parametrize(
    ("word", "platforms", "hint"),
    [
        ("shell", {Platform.LINUX}, "use 'ExecuteBash'"),
        ("shell", {Platform.WINDOWS}, "use 'ExecutePowerShell'"),
        ("ansible.builtin.shell", {Platform.LINUX}, "use 'ExecuteBash'"),
        ("aws:runShellScript", {Platform.LINUX}, "use 'ExecuteBash'"),
        ("get-url", {Platform.LINUX}, "use 'WebDownload', or curl in a step of ExecuteBash"),
    ],
)
def test_a_word_is_found_in_other_spellings(word: str, platforms: set[Platform], hint: str) -> None:
    found = advice.find("ACTION", word, ACTIONS, platforms)

    assert found is not None
    assert found.hint == hint


def test_a_word_without_an_entry_has_no_advice() -> None:
    assert advice.find("STEP", "color", keys.STEP.known, {Platform.LINUX}) is None
