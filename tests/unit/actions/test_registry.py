"""The table and the modules follow the contract."""

import inspect
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import awstoe.actions
from awstoe.actions import schema
from awstoe.actions.table import ACTIONS, Shape
from awstoe.expressions.values import Value
from awstoe.host.platforms import Platform

FOLDER = Path(awstoe.actions.__file__).parent
# Shared modules; everything else in the folder is an action.
SHARED = {
    "__init__",
    "contract",
    "fields",
    "msi",
    "msi_inputs",
    "operation",
    "package_managers",
    "permissions",
    "powershell",
    "program",
    "reference",
    "registry_values",
    "schema",
    "script",
    "table",
    "text_encoding",
    "windows_update",
}


def module(action: str) -> ModuleType:
    return schema.schema(action).module


def example(action: str) -> list[dict[str, Value]]:
    """The operations of the example; scalars keep their text, as in documents."""
    inputs = yaml.load(schema.schema(action).example, yaml.BaseLoader)
    if ACTIONS[action].shape is Shape.LIST:
        assert isinstance(inputs, list)
        return inputs
    assert isinstance(inputs, dict)
    return [inputs]


def test_every_module_of_the_folder_has_a_row() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")}
    assert modules - SHARED == {row.module for row in ACTIONS.values()}
    assert modules >= SHARED


def test_there_are_thirty_actions() -> None:
    assert len(ACTIONS) == 30
    assert len({row.module for row in ACTIONS.values()}) == 30


@pytest.mark.parametrize("action", ACTIONS)
def test_the_docstring_names_the_action_and_describes_it(action: str) -> None:
    lines = (module(action).__doc__ or "").splitlines()
    assert lines[0].startswith(f"{action}: ")
    assert len(lines[0]) > len(action) + 10
    assert lines[1] == ""
    assert schema.schema(action).description


@pytest.mark.parametrize("action", ACTIONS)
def test_built_actions_run_and_the_others_do_not(action: str) -> None:
    run = getattr(module(action), "run", None)
    assert (run is not None) == ACTIONS[action].implemented
    if run is not None:
        assert list(inspect.signature(run).parameters) == ["inputs", "ctx"]


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_else_is_public(action: str) -> None:
    described = module(action)
    own = {
        name
        for name, value in vars(described).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == described.__name__
    }
    assert own <= {"Inputs", "Outputs", "run", "conflict"}


@pytest.mark.parametrize("action", ACTIONS)
def test_every_input_has_a_field_and_a_help(action: str) -> None:
    described = schema.schema(action)
    if described.row.shape is not Shape.CONDITION:
        assert len(described.fields) == len(described.module.Inputs._fields)
    for field in described.fields.values():
        assert field.help.endswith(".")
        assert field.platforms & described.row.platforms
    for output in described.outputs:
        assert output.help.endswith(".")


@pytest.mark.parametrize("action", ACTIONS)
def test_defaults_are_values_that_the_field_accepts(action: str) -> None:
    described = schema.schema(action)
    for name, default in described.defaults.items():
        if isinstance(default, bool | int | str) and default != "":
            assert described.fields[name].problem(default, Platform.LINUX) is None


@pytest.mark.parametrize("action", [name for name in ACTIONS if name != "Assert"])
def test_example_is_valid_on_a_platform_of_the_action(action: str) -> None:
    described = schema.schema(action)
    for operation in example(action):
        assert set(operation) <= set(described.fields)
        assert described.required <= set(operation)
        assert described.conflict is None or described.conflict(operation) is None
        for name, value in operation.items():
            field = described.fields[name]
            problems = [field.problem(value, each) for each in described.row.platforms]
            assert None in problems, problems


def test_a_missing_input_is_named() -> None:
    with pytest.raises(ValueError, match="the input 'destination' is missing; expected a path"):
        schema.typed_inputs("CopyFile", {"source": "a"})


def test_names_of_inputs_become_python_names() -> None:
    inputs = schema.typed_inputs("ListFiles", {"path": "a", "fileNamePattern": "*.log"})
    assert inputs == module("ListFiles").Inputs("a", "*.log", recursive=False)


@pytest.mark.parametrize("action", ["CreateFile", "CreateFolder"])
@pytest.mark.parametrize("name", ["owner", "group", "permissions"])
def test_owners_and_permissions_are_not_inputs_on_windows(action: str, name: str) -> None:
    assert schema.schema(action).fields[name].platforms == {Platform.LINUX}
