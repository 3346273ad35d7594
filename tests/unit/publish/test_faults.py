"""A publisher that dies at any step: clients see the old indexes or the new ones, whole."""

import errno
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.publish.conftest import Shop
from tests.unit.publish.reading import contents, debs, linked_rpms, rpms
from toolchain.errors import OutputError
from toolchain.model.carried import PackageFile
from toolchain.plan.repository.layout import STATE
from toolchain.publish.session import session

Files = tuple[PackageFile, ...]


def killed_at(step: int, publish: Callable[[Callable[[str], None]], object]) -> bool:
    """Publish in a process of its own, and kill it at a step; whether it came so far."""
    child = os.fork()
    if child == 0:
        steps = 0

        def checkpoint(_name: str) -> None:
            nonlocal steps
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)
            steps += 1

        try:
            publish(checkpoint)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def seen(repository: Path) -> tuple[tuple[str, ...], ...]:
    """What clients find on each of the three ways in, every digest checked."""
    return tuple(tuple(sorted(read(repository))) for read in (debs, rpms, linked_rpms))


def test_killed_at_every_step(shop: Shop, releases: tuple[Files, ...], tmp_path: Path) -> None:
    shop.add(*releases[0])
    base = tmp_path / "base"
    shutil.copytree(shop.repository, base, symlinks=True)
    shop.add(*releases[1])
    old, new = seen(base), seen(shop.repository)
    shutil.rmtree(shop.repository)
    ways: list[list[bool]] = []
    killed = True
    while killed:
        shutil.copytree(base, shop.repository, symlinks=True)
        killed = killed_at(
            len(ways), lambda checkpoint: shop.add(*releases[1], checkpoint=checkpoint)
        )
        found = seen(shop.repository)
        for way, before, after in zip(found, old, new, strict=True):
            assert way in (before, after)
        ways.append([way == after for way, after in zip(found, new, strict=True)])
        # The next one goes on; before the commit nothing was decided.
        with session(shop.repository):
            pass
        decided = len(ways) > 1
        assert seen(shop.repository) == (new if decided else old)
        assert not list((shop.repository / STATE).glob("staging-*"))
        shutil.rmtree(shop.repository)
    assert len(ways) > 25
    assert not any(ways[0])
    assert all(ways[-1])
    # Once a way leads to the new index, it does so at each later step.
    assert all(list(way) == sorted(way) for way in zip(*ways, strict=True))


def test_a_killed_publication_can_be_repeated(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    for step in (0, 1, 12):
        release = releases[1 + (0, 1, 12).index(step)]
        assert killed_at(
            step, lambda checkpoint, files=release: shop.add(*files, checkpoint=checkpoint)
        )
        shop.add(*release)
    assert len(debs(shop.repository)) == len(rpms(shop.repository)) == 9


def test_all_that_is_staged_is_on_the_disk_before_the_decision(
    shop: Shop, releases: tuple[Files, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: set[Path] = set()
    staged: set[Path] = set()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        written.add(Path(f"/proc/self/fd/{descriptor}").readlink())

    def checkpoint(name: str) -> None:
        if name == "commit":
            (staging,) = (shop.repository / STATE).glob("staging-*")
            staged.update(path for path in staging.rglob("*") if not path.is_symlink())
            assert staged <= written

    monkeypatch.setattr(os, "fsync", fsync)
    shop.add(*releases[0], checkpoint=checkpoint)
    assert len(staged) > 25


@pytest.mark.parametrize("step", ["deb/dists/stable/InRelease", "committed", ""])
def test_what_is_decided_is_not_interrupted(
    shop: Shop, releases: tuple[Files, ...], step: str
) -> None:
    """Who hears that nothing was changed must be able to believe it."""

    def checkpoint(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGINT)

    assert shop.add(*releases[0], checkpoint=checkpoint).generations
    assert len(debs(shop.repository)) == len(rpms(shop.repository)) == 3
    with session(shop.repository) as opened:
        assert not opened.state.tasks.journal()


def test_an_interruption_before_the_decision_changes_nothing(
    shop: Shop, releases: tuple[Files, ...]
) -> None:
    shop.add(*releases[0])
    before = contents(shop.repository)

    def checkpoint(name: str) -> None:
        if name == "commit":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        shop.add(*releases[1], checkpoint=checkpoint)
    assert contents(shop.repository) == before
    assert not list((shop.repository / STATE).glob("staging-*"))


def test_no_space_leaves_what_is_published(
    shop: Shop, releases: tuple[Files, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.add(*releases[0])
    before = contents(shop.repository)
    real = shutil.copyfile
    left = 2

    def copyfile(source: Path, target: Path) -> object:
        nonlocal left
        left -= 1
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return real(source, target)

    monkeypatch.setattr(shutil, "copyfile", copyfile)
    with pytest.raises(OutputError, match=r"No space left.*make room"):
        shop.add(*releases[1])
    assert contents(shop.repository) == before
    assert not list((shop.repository / STATE).glob("staging-*"))
    shop.add(*releases[1])
    assert len(debs(shop.repository)) == 5


def test_a_full_disk_is_met_for_real(shop: Shop, releases: tuple[Files, ...]) -> None:
    """A file system of a few megabytes, where root may mount one."""
    if os.geteuid() != 0:
        pytest.fail("run the tests as root: this one mounts a small file system")
    shop.repository.mkdir()
    mounted = os.system(f"mount -t tmpfs -o size=1500k none {shop.repository}")  # noqa: S605
    assert mounted == 0
    try:
        shop.add(*releases[0])
        before = contents(shop.repository)
        filler = shop.repository / "filler"
        said: list[str] = []
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(2_000_000))
        # Whatever room is left, it is the one or the other.
        for room in range(0, 600_000, 40_000):
            os.truncate(filler, max(0, filler.stat().st_size - room))
            try:
                shop.add(*releases[1])
                break
            except OutputError as error:
                said.append(str(error))
            found = contents(shop.repository)
            found.pop("filler")
            assert found == before
        else:
            pytest.fail("there was never room enough")
        assert said
        assert all("make room" in sentence for sentence in said)
        assert len(debs(shop.repository)) == len(rpms(shop.repository)) == 5
    finally:
        os.system(f"umount {shop.repository}")  # noqa: S605


def test_a_damaged_state_is_told(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    (shop.repository / STATE / "publish.sqlite").write_bytes(b"x" * 5000)
    with pytest.raises(OutputError, match="restore"):
        shop.add(*releases[1])


def test_lost_staging_is_told(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    assert killed_at(1, lambda checkpoint: shop.add(*releases[1], checkpoint=checkpoint))
    for staged in (shop.repository / STATE).glob("staging-*"):
        shutil.rmtree(staged)
    with pytest.raises(OutputError, match="its staged copy is gone"):
        shop.add(*releases[2])


def test_a_lost_state_is_told(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    before = contents(shop.repository)
    shutil.rmtree(shop.repository / STATE)
    with pytest.raises(OutputError, match=r"state is gone.*restore it"):
        shop.add(*releases[1])
    assert contents(shop.repository) == before


def test_another_users_repository_is_told(shop: Shop, releases: tuple[Files, ...]) -> None:
    """What root published there, its owner's next run could not replace."""
    if os.geteuid() != 0:
        pytest.fail("run the tests as root: this one gives files away")
    shop.add(*releases[0])
    os.chown(shop.repository / STATE, 65534, 65534)
    with pytest.raises(OutputError, match="belongs to user 65534; publish as that user"):
        shop.add(*releases[1])
