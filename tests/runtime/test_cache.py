"""The disk cache: what was put comes back whole or not at all, and nothing it meets raises."""

import logging
import multiprocessing
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuse.config import config
from fuse.runtime import cache

KEY = "0123abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The folder of the entries, under settings that point there."""
    with config(cache="1", cache_dir=str(tmp_path)):
        yield tmp_path / "objects"


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 5000])
def test_round_trip(folder: Path, content: bytes) -> None:
    assert cache.get(KEY) is None
    cache.put(KEY, content)
    assert cache.get(KEY) == content
    assert cache.get("other") is None


def test_the_folder_is_private(folder: Path) -> None:
    cache.put(KEY, b"code")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(only_file(folder).stat().st_mode) == 0o600


def test_a_folder_that_others_can_write_is_not_trusted(folder: Path) -> None:
    cache.put(KEY, b"code")
    folder.chmod(0o770)
    assert cache.get(KEY) is None
    cache.put("second", b"code")
    assert len(list(folder.iterdir())) == 1


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        flip,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"short"),
        lambda path: path.write_bytes(path.read_bytes() + b"more"),
        lambda path: path.write_bytes(b"X" + path.read_bytes()[1:]),
    ],
    ids=["truncated", "flipped", "empty", "short", "longer", "other-format"],
)
def test_a_damaged_entry_is_a_miss_and_goes(folder: Path, damage) -> None:
    cache.put(KEY, b"some object code")
    damage(only_file(folder))
    assert cache.get(KEY) is None
    assert not list(folder.iterdir())
    cache.put(KEY, b"new")
    assert cache.get(KEY) == b"new"


def test_an_entry_under_another_name_is_a_miss(folder: Path) -> None:
    cache.put(KEY, b"code")
    only_file(folder).rename(folder / "otherkey.object")
    assert cache.get("otherkey") is None


def test_off(folder: Path) -> None:
    cache.put(KEY, b"code")
    with config(cache="0"):
        assert cache.get(KEY) is None
        cache.put("second", b"code")
    assert cache.get("second") is None


def test_readonly(folder: Path) -> None:
    cache.put(KEY, b"code")
    with config(cache="readonly"):
        assert cache.get(KEY) == b"code"
        cache.put("second", b"code")
        assert cache.get("second") is None
        flip(only_file(folder))
        assert cache.get(KEY) is None
        cache.clear()
    assert only_file(folder).name.startswith(KEY)


def test_readonly_leaves_the_time_of_last_use(folder: Path) -> None:
    cache.put(KEY, b"code")
    os.utime(only_file(folder), (1000, 1000))
    with config(cache="readonly"):
        cache.get(KEY)
    assert only_file(folder).stat().st_mtime == 1000
    cache.get(KEY)
    assert only_file(folder).stat().st_mtime > 1000


def test_a_file_in_place_of_the_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What a read-only folder does, also for root."""
    (tmp_path / "file").write_text("in the way")
    with config(cache="1", cache_dir=str(tmp_path / "file")), caplog.at_level(logging.DEBUG, "fuse"):
        cache.put(KEY, b"code")
        assert cache.get(KEY) is None
        cache.clear()
    assert [record.levelname for record in caplog.records[:1]] == ["DEBUG"]
    assert "put failed" in caplog.text


def test_a_folder_in_place_of_an_entry(folder: Path) -> None:
    (folder / f"{KEY}.object").mkdir(parents=True)
    folder.chmod(0o700)
    cache.put(KEY, b"code")
    assert cache.get(KEY) is None
    assert [path.name for path in folder.iterdir()] == [f"{KEY}.object"]


def test_a_folder_without_the_right_to_write(folder: Path) -> None:
    """Root may write all the same; then the entry is there, else it is a miss."""
    cache.put(KEY, b"code")
    folder.chmod(0o500)
    cache.put("second", b"code")
    assert (cache.get("second") is None) == (not os.access(folder, os.W_OK))
    assert cache.get(KEY) == b"code"
    folder.chmod(0o700)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PermissionError(), MemoryError()])
def test_a_write_that_fails_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(path: Path, target: Path) -> None:
        raise error

    monkeypatch.setattr(Path, "replace", refuse)
    cache.put(KEY, b"code")
    assert not list(folder.iterdir())
    assert cache.get(KEY) is None


@pytest.mark.parametrize("key", ["../escape", "", "a/b", ".", "ключ"])
def test_a_key_that_is_no_name_is_a_miss(folder: Path, key: str) -> None:
    cache.put(key, b"code")
    assert cache.get(key) is None
    assert not folder.exists() or not list(folder.iterdir())


def test_no_home_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(cache, "directory", homeless)
    cache.put(KEY, b"code")
    assert cache.get(KEY) is None
    cache.clear()


def test_the_users_cache_folder_is_the_default() -> None:
    with config(cache_dir=None):
        assert cache.directory().parts[-2:] == ("fuse", "objects")


def test_the_size_cap_drops_what_is_longest_unused(tmp_path: Path) -> None:
    store = cache.Store(tmp_path / "objects", limit=10_000)
    for number in range(8):
        store.put(f"key{number}", bytes(1500))
        past = time.time() - 1000 + number
        os.utime(store.path(f"key{number}"), (past, past))
        assert store.get("key0") is not None  # used again and again
    left = {number for number in range(8) if store.path(f"key{number}").exists()}
    assert sum(path.stat().st_size for path in store.folder.iterdir()) <= 10_000
    assert {0, 7} < left and 1 not in left


def test_clear(folder: Path) -> None:
    for number in range(5):
        cache.put(f"key{number}", b"code")
    cache.clear()
    assert not list(folder.iterdir())


def test_what_died_half_written_is_removed_in_time(tmp_path: Path) -> None:
    store = cache.Store(tmp_path / "objects", limit=1 << 20)
    store.put(KEY, b"code")
    old, fresh = store.folder / "a.part", store.folder / "b.part"
    old.write_bytes(b"half")
    fresh.write_bytes(b"half")
    os.utime(old, (0, 0))
    store.shrink(store.limit)
    assert (old.exists(), fresh.exists(), store.get(KEY)) == (False, True, b"code")


def put_and_get(folder: str, seed: int) -> int:
    """How many reads gave something else than a whole entry or a miss."""
    store = cache.Store(Path(folder), limit=200_000)
    wrong = 0
    for turn in range(150):
        key = f"key{turn % 7}"
        content = key.encode() * 5000
        store.put(key, content)
        wrong += store.get(f"key{(turn + seed) % 7}") not in (None, f"key{(turn + seed) % 7}".encode() * 5000)
    return wrong


@pytest.mark.processes
def test_processes_racing_for_the_same_keys(tmp_path: Path) -> None:
    folder = str(tmp_path / "objects")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.starmap(put_and_get, [(folder, 1), (folder, 3)]) == [0, 0]
    store = cache.Store(Path(folder), limit=1 << 20)
    assert all(store.get(f"key{number}") in (None, f"key{number}".encode() * 5000) for number in range(7))
    assert not list(Path(folder).glob("*.part"))
