"""The cache of toolchain layers: entries are complete, and rebuilt when anything changes."""

import importlib.util
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from awstoe_build.failure import BuildFailure
from awstoe_build.toolchain.layers import (
    UNUSED_DAYS,
    Cache,
    LayerBuild,
    Recipe,
    damage,
    fingerprint,
    key,
    locked,
)


def module(folder: Path, text: str) -> ModuleType:
    path = folder / f"recipe_{abs(hash(text))}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


class Building:
    """A cache, its messages, and a record of the layers that were built."""

    def __init__(self, folder: Path) -> None:
        self.built: list[str] = []
        self.reported: list[str] = []
        self.module = module(folder, "ANSWER = 42\n")
        self.cache = Cache(str(folder / "cache"), self.reported.append)

    def recipe(
        self,
        name: str = "layer",
        *,
        version: str = "1",
        needs: tuple[Recipe, ...] = (),
        build: Callable[[LayerBuild], None] | None = None,
    ) -> Recipe:
        def write(build: LayerBuild) -> None:
            self.built.append(name)
            Path(build.content, "file").write_text(name)
            Path(build.content, "link").symlink_to("file")

        return Recipe(name, self.module, {"version": version}, needs, build or write)

    def again(self) -> Cache:
        """Return the cache as the next run opens it."""
        return Cache(self.cache.folder, self.reported.append)


@pytest.fixture
def building(tmp_path: Path) -> Building:
    return Building(tmp_path)


def entries(cache: Cache) -> list[str]:
    return sorted(each for each in os.listdir(cache.folder) if each not in ("locks", "scratch"))


def test_a_layer_is_built_once(building: Building) -> None:
    content = building.cache.obtain(building.recipe())
    assert Path(content, "file").read_text() == "layer"
    assert building.again().obtain(building.recipe()) == content
    assert building.built == ["layer"]
    assert building.cache.missing([building.recipe()]) == []


def test_a_layer_is_built_after_the_layers_it_needs(building: Building) -> None:
    below = building.recipe("below")
    above = building.recipe("above", needs=(below,))
    assert [each.name for each in building.cache.missing([above])] == ["below", "above"]
    building.cache.obtain(above)
    assert building.built == ["below", "above"]


def test_another_input_results_in_another_key(building: Building) -> None:
    one, two = building.recipe(version="1"), building.recipe(version="2")
    assert key(one) != key(two)
    assert key(building.recipe("above", needs=(one,))) != key(
        building.recipe("above", needs=(two,))
    )


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ('"""Another docstring."""\n\n# why\nANSWER = 42\n', True),
        ("ANSWER = 43\n", False),
    ],
)
def test_a_recipes_code_changes_its_fingerprint_and_its_comments_do_not(
    tmp_path: Path, text: str, *, same: bool
) -> None:
    before = fingerprint(module(tmp_path, "ANSWER = 42\n"))
    assert (fingerprint(module(tmp_path, text)) == before) is same


def overwrite(content: Path) -> None:
    (content / "file").write_text("laser")


def remove(content: Path) -> None:
    (content / "file").unlink()


def add(content: Path) -> None:
    (content / "more").write_text("")


def point_elsewhere(content: Path) -> None:
    (content / "link").unlink()
    (content / "link").symlink_to("/etc/passwd")


def make_executable(content: Path) -> None:
    (content / "file").chmod(0o755)


def lose_manifest(content: Path) -> None:
    (content.parent / "manifest.json").unlink()


def garble_manifest(content: Path) -> None:
    (content.parent / "manifest.json").write_text("[]")


@pytest.mark.parametrize(
    "harm",
    [overwrite, remove, add, point_elsewhere, make_executable, lose_manifest, garble_manifest],
)
def test_a_damaged_layer_is_reported_and_built_again(
    building: Building, harm: Callable[[Path], None]
) -> None:
    content = Path(building.cache.obtain(building.recipe()))
    harm(content)
    assert damage(str(content.parent))
    assert Path(building.again().obtain(building.recipe()), "file").read_text() == "layer"
    assert building.built == ["layer", "layer"]
    assert any("is damaged" in text for text in building.reported)
    assert not damage(str(content.parent))


@pytest.mark.parametrize("end", [BuildFailure("no"), KeyboardInterrupt()])
def test_an_interrupted_build_leaves_no_entry_and_the_next_one_recovers(
    building: Building, end: BaseException
) -> None:
    def stop(build: LayerBuild) -> None:
        Path(build.content, "half").write_text("")
        raise end

    with pytest.raises(type(end)):
        building.cache.obtain(building.recipe(build=stop))
    assert entries(building.cache) == []
    content = building.again().obtain(building.recipe())
    assert sorted(os.listdir(content)) == ["file", "link"]
    assert os.listdir(os.path.join(building.cache.folder, "scratch")) == []


def test_leftovers_of_a_failed_build_are_removed_even_if_the_recipe_changed(
    building: Building,
) -> None:
    def fail(build: LayerBuild) -> None:
        Path(build.content, "half").write_text("")
        raise BuildFailure("no")

    with pytest.raises(BuildFailure):
        building.cache.obtain(building.recipe(version="1", build=fail))
    scratch = os.path.join(building.cache.folder, "scratch")
    assert len(os.listdir(scratch)) == 1
    building.cache.obtain(building.recipe(version="2"))
    assert os.listdir(scratch) == []


def test_a_full_disk_is_reported_with_the_systems_reason(building: Building) -> None:
    def fill(_: LayerBuild) -> None:
        with open("/dev/full", "w") as stream:
            stream.write("x")

    with pytest.raises(BuildFailure, match="No space left on device") as failure:
        building.cache.obtain(building.recipe(build=fill))
    assert "finished layers are kept" in failure.value.hint


def test_layers_of_an_earlier_recipe_are_removed_when_unused_for_weeks(building: Building) -> None:
    old = Path(building.cache.obtain(building.recipe(version="1"))).parent
    building.again().obtain(building.recipe(version="2"))
    assert old.exists()
    used = time.time() - (UNUSED_DAYS + 1) * 24 * 3600
    os.utime(Path(building.cache.folder, "locks", old.name), (used, used))
    building.again().obtain(building.recipe(name="layer-other", version="1"))
    assert old.exists()
    building.again().obtain(building.recipe(version="3"))
    assert not old.exists()
    assert any(old.name in text and "removed" in text for text in building.reported)


def test_a_layer_that_is_used_is_kept(building: Building) -> None:
    old = Path(building.cache.obtain(building.recipe(version="1"))).parent
    used = time.time() - (UNUSED_DAYS + 1) * 24 * 3600
    os.utime(Path(building.cache.folder, "locks", old.name), (used, used))
    building.again().obtain(building.recipe(version="1"))
    building.again().obtain(building.recipe(version="2"))
    assert old.exists()


def test_progress_is_reported_per_layer(building: Building) -> None:
    recipe = building.recipe(name="second", needs=(building.recipe(name="first"),))
    building.cache.expect(len(building.cache.missing([recipe])))
    building.cache.obtain(recipe)
    lines = [text.split(",")[0].strip() for text in building.reported if "building" in text]
    assert lines == ["[1/2] first: building", "[2/2] second: building"]


def test_a_build_waits_for_another_build_of_the_same_layer(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    reported: list[str] = []
    order: list[str] = []

    def second() -> None:
        with locked(path, reported.append):
            order.append("second")

    with locked(path, reported.append):
        thread = threading.Thread(target=second)
        thread.start()
        while not reported:
            time.sleep(0.01)
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]
    assert reported == [f"  {os.path.basename(path)}: waiting for another build to finish it"]
