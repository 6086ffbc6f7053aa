"""Makes documents that are valid, or nearly: any steps, conditions, loops and texts, any YAML."""

import json
import random
from collections.abc import Callable
from typing import Any

import yaml

from awstoe.expressions.conditions import OPERATORS

Tree = dict[str, Any]
_WORDS = ("alpha", "Beta-2", "x_y", "0", "a" * 60, "build", "on", "null", "1e3")
_TEXTS = (
    *(
        "echo a",
        "",
        " ",
        "a: b",
        "- a",
        "# no comment",
        "a #b",
        "'",
        '"',
        "a\nb\n",
        "\ta",
        "é\u4e2d",
    ),
    *("&a", "*a", "!x", "%", "@", "`a`", "a\r\nb", "{}", "[]", "{{", "}}", "\u2028", "\U0001f600"),
    *("\\", "C:\\temp", "$HOME", "~", "yes", "0o17", "1.0", "2026-01-01", "=", "<<", "? ", "|"),
    *("set -e\nfor i in 1 2; do\n  echo $i\ndone\n", "x" * 3000, "\n\n\n", "  a\n b\n", "\x85"),
    *(
        "{{ env:HOME }}",
        "{{ context:osName }}",
        "{{ Level }}",
        "{{ Kind }}/{{ Level }}",
        "{{Kind}}",
    ),
)
_PATHS = ("/srv/a", "/srv/a b/é", "/tmp/*.txt", "/{{ Kind }}/x", "/" + "a/" * 100 + "b", "/a'\"")
_ENCODINGS = ("utf8", "UTF-16-LE", "utf-32-BE", "utf-8")
_MODES = ("0640", 755, "2775", "0o644", 640)


def make(chance: random.Random) -> bytes:
    """Return a case."""
    made = Maker(chance)
    tree = made.document()
    if chance.random() < 0.2:
        return json.dumps(tree, indent=chance.choice([None, 1, 4])).encode()
    text = yaml.safe_dump(
        tree,
        sort_keys=False,
        allow_unicode=chance.random() < 0.7,
        width=chance.choice([20, 80, 10_000]),
        indent=chance.choice([2, 3, 8]),
        default_flow_style=chance.choice([False, False, None, True]),
        explicit_start=chance.random() < 0.2,
        explicit_end=chance.random() < 0.1,
    )
    return _dressed(chance, text)


def _dressed(chance: random.Random, text: str) -> bytes:
    """Return a document with other line ends, comments and space that change nothing."""
    change = chance.randrange(8)
    if change == 0:
        text = text.replace("\n", "\r\n")
    elif change == 1:
        text = "# a comment: {\n\n" + text + "\n# the end"
    elif change == 2:
        text = text.rstrip("\n")
    elif change == 3:
        text = "\ufeff" + text
    elif change == 4:
        text = text.replace("\n- ", "\n\n# another\n- ")
    return text.encode()


class Maker:
    """Makes one document; its names are unique where they must be."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.count = 0
        self.steps_before: list[str] = []

    def document(self) -> Tree:
        chance = self.chance
        tree: Tree = {"schemaVersion": chance.choice([1.0, "1.0"])}
        if chance.random() < 0.6:
            tree["name"] = self.text()
        if chance.random() < 0.4:
            tree["description"] = chance.choice([None, self.text()])
        tree["parameters"] = [{"Level": self.parameter()}]
        tree["constants"] = [{"Kind": {"type": "string", "value": "a"}}]
        if chance.random() < 0.3:
            tree["constants"].append({self.name(): {"type": "string", "value": self.text()}})
        names = chance.sample(["build", "validate", "test"], chance.choice([1, 1, 2]))
        if chance.random() < 0.2:
            names.insert(chance.randrange(2), self.name())
        tree["phases"] = [self.phase(name) for name in names]
        keys = list(tree)
        if chance.random() < 0.3:
            chance.shuffle(keys)
        return {key: tree[key] for key in keys}

    def parameter(self) -> Tree:
        made: Tree = {"type": "string"}
        if self.chance.random() < 0.8:
            made["default"] = self.chance.choice([1, True, "a", "", 1.5, "{}"])
        if self.chance.random() < 0.3:
            made["description"] = self.text()
        return made

    def name(self) -> str:
        self.count += 1
        return f"{self.chance.choice(_WORDS)}-{self.count}"

    def text(self) -> str:
        pieces = self.chance.choices(_TEXTS, k=self.chance.choice([1, 1, 1, 2, 5]))
        references = [f"{{{{ {each}.outputs.stdout }}}}" for each in self.steps_before[-3:]]
        return "".join([*pieces, *(references if self.chance.random() < 0.2 else [])])

    def path(self) -> str:
        return self.chance.choice(_PATHS)

    def phase(self, name: str) -> Tree:
        steps = []
        for _ in range(self.chance.choice([1, 2, 3, 10])):
            step = self.step()
            steps.append(step)
            if step["action"] == "ExecuteBash":
                self.steps_before.append(f"{name}.{step['name']}")
        return {"name": name, "steps": steps}

    def step(self) -> Tree:
        chance = self.chance
        action, inputs = chance.choice(self._inputs)(self)
        step: Tree = {"name": self.name(), "action": action}
        if chance.random() < 0.2:
            step["onFailure"] = chance.choice(["Abort", "Continue", "Ignore"])
        if chance.random() < 0.2:
            step["maxAttempts"] = chance.choice([1, 2, 10])
        if chance.random() < 0.2:
            step["timeoutSeconds"] = chance.choice([-1, 1, 7200])
        if chance.random() < 0.25:
            step["if"] = self.condition(3, branches=True)
        if chance.random() < 0.25:
            step["loop"] = self.loop()
        step["inputs"] = inputs
        if "loop" in step and action == "ExecuteBash":
            inputs["commands"].append(f"echo {{{{ {step['loop'].get('name', 'loop')}.value }}}}")
        return step

    def loop(self) -> Tree:
        chance = self.chance
        made: Tree = {"name": self.name()} if chance.random() < 0.4 else {}
        forms: list[Callable[[], Tree]] = [
            lambda: {"for": {"start": 1, "end": chance.choice([1, 9, 1000]), "updateBy": 1}},
            lambda: {"for": {"start": 9, "end": -9, "updateBy": -3}},
            lambda: {"forEach": [self.text() for _ in range(chance.choice([1, 2, 30]))]},
            lambda: {
                "forEach": {"list": "a,b,{{ Level }}", "delimiter": chance.choice([",", ";"])}
            },
        ]
        return {**made, **chance.choice(forms)()}

    def condition(self, depth: int, *, branches: bool) -> Tree:
        chance = self.chance
        if depth and chance.random() < 0.4:
            word = chance.choice(["and", "or", "not"])
            count = 1 if word == "not" else chance.choice([1, 2, 3])
            inside = [self.condition(depth - 1, branches=False) for _ in range(count)]
            made: Tree = {word: inside}
        else:
            made = self.comparison()
        if branches and chance.random() < 0.4:
            made["then"] = chance.choice(["Execute", "Skip", "Abort"])
            made["else"] = chance.choice(["Execute", "Skip", "Abort"])
        return made

    def comparison(self) -> Tree:
        chance = self.chance
        operator = chance.choice(list(OPERATORS))
        if operator.startswith("number"):
            return {
                operator: chance.choice([1, -2.5, "{{ Level }}", 10**20]),
                "value": "{{ Level }}",
            }
        if operator.startswith("file") and operator != "fileExists":
            sizes = {"MD5": 32, "SHA1": 40, "SHA256": 64, "SHA512": 128}
            size = next((n for name, n in sizes.items() if name in operator), 32)
            return {operator: "0a" * (size // 2), "path": self.path()}
        if operator == "patternMatches":
            patterns = ["^a+$", "[[:alpha:]]", "(?i)x|y", "\\d{1,9}", "(a(b(c)?)*)+", "\\pL"]
            return {operator: chance.choice(patterns), "value": self.text()}
        if operator.endswith("Exists"):
            return {operator: chance.choice(["bash", "/srv/a"])}
        if OPERATORS[operator].companion is None:
            return {operator: self.text()}
        return {operator: self.text(), "value": self.text()}

    # --- inputs -----------------------------------------------------------------------------------

    def bash(self) -> tuple[str, Tree]:
        count = self.chance.choice([1, 1, 2, 5])
        return "ExecuteBash", {"commands": [f"{self.text()}\necho" for _ in range(count)]}

    def binary(self) -> tuple[str, Tree]:
        arguments = [self.text() for _ in range(self.chance.choice([1, 3]))]
        return "ExecuteBinary", {"path": "/bin/echo", "arguments": arguments}

    def nested(self) -> tuple[str, Tree]:
        parameters = [{"name": "Level", "value": self.text()}]
        return "ExecuteDocument", {"document": "more/other.yml", "parameters": parameters}

    def assertion(self) -> tuple[str, Tree]:
        return "Assert", self.condition(3, branches=False)

    def created(self) -> tuple[str, list[Tree]]:
        action = self.chance.choice(["CreateFile", "AppendFile"])
        made: Tree = {"path": self.path().replace("*", "x"), "content": self.text()}
        if self.chance.random() < 0.3:
            made["encoding"] = self.chance.choice(_ENCODINGS)
        if self.chance.random() < 0.3 and action == "CreateFile":
            made |= {"permissions": self.chance.choice(_MODES), "owner": "root", "group": 0}
        return action, [made for _ in range(self.chance.choice([1, 1, 3]))]

    def moved(self) -> tuple[str, list[Tree]]:
        action = self.chance.choice(["CopyFile", "CopyFolder", "MoveFile", "MoveFolder"])
        made = {"source": self.path().replace("*", "x"), "destination": "/srv/out"}
        return action, [made]

    def named(self) -> tuple[str, list[Tree]]:
        action = self.chance.choice(["ReadFile", "DeleteFile", "DeleteFolder", "CreateFolder"])
        return action, [{"path": self.path().replace("*", "x")}]

    def permitted(self) -> tuple[str, list[Tree]]:
        action = self.chance.choice(["SetFilePermissions", "SetFolderPermissions"])
        return action, [{"path": "/srv/a", "permissions": self.chance.choice(_MODES)}]

    def reboot(self) -> tuple[str, Tree]:
        return "Reboot", {"delaySeconds": self.chance.choice([0, 30])}

    _inputs: tuple[Callable[["Maker"], tuple[str, Any]], ...] = (
        *(bash, bash, bash, binary, nested, assertion, assertion, created, moved, named),
        *(permitted, reboot),
    )
