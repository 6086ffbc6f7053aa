"""The kernel's counters of processes that it ended for lack of memory."""

from pathlib import Path

import pytest

from awstoe.host.process.linux.memory_kills import MemoryKills


@pytest.mark.parametrize(
    ("groups", "counter"),
    [
        ("0::/run.slice/a.service\n", "run.slice/a.service/memory.events"),
        ("0::/\n", "memory.events"),
        ("4:memory:/docker/1\n0::/\n", "memory/docker/1/memory.oom_control"),
        ("4:memory:/docker/1\n3:cpu:/\n", "memory/memory.oom_control"),
        ("", ""),
        (None, ""),
    ],
)
def test_the_nearest_counter_is_read(tmp_path: Path, groups: str | None, counter: str) -> None:
    group_file, mounted, system = tmp_path / "cgroup", tmp_path / "fs", tmp_path / "vmstat"
    if groups is not None:
        group_file.write_text(groups)
    file = mounted / counter if counter else system
    system.write_text("nr_free_pages 7\noom_kill 2\n")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("low 0\noom 9\noom_kill 3\noom_group_kill 8\n")
    kills = MemoryKills(str(group_file), str(mounted), str(system))
    assert kills.any() is False
    file.write_text("oom_kill 4\n")
    assert kills.any() is True


def test_a_kernel_that_does_not_count_them_leaves_it_unknown(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    assert MemoryKills(missing, missing, missing).any() is None
