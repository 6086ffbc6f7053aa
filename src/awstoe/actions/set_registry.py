r"""SetRegistry: set values in the Windows registry.

- `path` starts with `HKCR:`, `HKU:`, `HKLM:`, `HKCC:` or `HKCU:`, or with their long names such as
  `HKEY_LOCAL_MACHINE`. Missing keys are created.
- The value has to fit its type: DWORD and QWORD are unsigned integers of 32 and 64 bits (decimal,
  or hexadecimal with 0x), BINARY is pairs of hexadecimal digits, MULTI_SZ a list of strings, SZ and
  EXPAND_SZ one string.
- An existing value is replaced, regardless of its type. The key is that of 64-bit programs.
- An empty name is the key's default value.
"""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from awstoe.actions.contract import ActionContext
from awstoe.actions.fields import Choice, Text
from awstoe.actions.operation import operation, quoted
from awstoe.actions.registry_values import TYPES, RegistryPath, RegistryValue, misfit, stored
from awstoe.errors import PermanentError
from awstoe.expressions.values import Value
from awstoe.host import registry

EXAMPLE = r"""- path: HKLM:\SOFTWARE\Example
  name: Version
  value: 3
  type: DWORD
- path: HKEY_CURRENT_USER\Software\Example
  name: Mirrors
  value: [one.example.com, two.example.com]
  type: MULTI_SZ
"""


class Inputs(NamedTuple):
    """The inputs of SetRegistry."""

    path: Annotated[str, RegistryPath("The key.")]
    name: Annotated[str, Text("The value's name.")]
    value: Annotated[str | tuple[str, ...], RegistryValue("The new value.")]
    type: Annotated[str, Choice("The value's type.", *TYPES)]


CONFLICT_AT = "value"


def conflict(given: Mapping[str, Value]) -> str | None:
    """Check that the value fits its type, unless one of them contains references."""
    kind, value = given.get("type"), given.get("value")
    entries = value if isinstance(value, list) else [value]
    if "value" not in given or any("{{" in str(entry) for entry in [kind, *entries]):
        return None
    word = str(kind).upper()
    return misfit(value, word) if word in TYPES else None


def run(inputs: Inputs, ctx: ActionContext) -> None:
    """Set one value.

    Raises:
        ActionError: The value does not fit its type, or the system does not allow it.
    """
    value: Value = list(inputs.value) if isinstance(inputs.value, tuple) else inputs.value
    shown = rf"{inputs.path}\{inputs.name}"
    with operation("SetRegistry", f"set the registry value {quoted(shown)}", ctx):
        if "\0" in shown:
            raise PermanentError("a registry name cannot contain null characters")
        if problem := misfit(value, inputs.type):
            raise PermanentError(problem)
        registry.set_value(inputs.path, inputs.name, inputs.type, stored(inputs.value, inputs.type))
        ctx.log.info(f"SetRegistry: Set {quoted(shown)} ({inputs.type})")
