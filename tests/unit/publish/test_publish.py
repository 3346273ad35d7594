"""Publishing: what is offered, what is frozen, what is refused at the door."""

import os
import shutil
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.publish.conftest import Plain, Shop
from tests.unit.publish.reading import contents, debs, digest, rpms
from tests.verify_samples import plain_deb, read
from toolchain.edge.digests import sha256_of
from toolchain.edge.resources import TemplateFiles, packaging_directory
from toolchain.errors import OutputError, RefusedError, UsageError
from toolchain.model.carried import PackageFile
from toolchain.model.release import Format
from toolchain.model.version import Version
from toolchain.plan.repository.layout import STATE, require_channel
from toolchain.publish.deeds.add import Add
from toolchain.publish.deeds.promote import Promote
from toolchain.publish.deeds.refresh import Refresh
from toolchain.publish.lock import locked
from toolchain.render.templates import Templates

Files = tuple[PackageFile, ...]


def named(files: list[str]) -> set[str]:
    return {name for name in files if "-repository" not in name}


def test_a_release_is_offered_in_both_formats(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    assert named(debs(shop.repository)) == {
        "demo-server_1.0.0-1_all.deb",
        "demo-database_1.0.0-1_all.deb",
    }
    assert named(rpms(shop.repository)) == {
        "demo-server-1.0.0-1.noarch.rpm",
        "demo-database-1.0.0-1.noarch.rpm",
    }
    beside = shop.repository / "deb/pool/main/demo/demo-server_1.0.0-1_all.deb"
    assert (beside.parent / f"{beside.name}.cdx.json").exists()
    assert (beside.parent / f"{beside.name}.intoto.jsonl").exists()


def test_the_proof_is_over_all_that_a_channel_offers(
    shop: Shop, releases: tuple[Files, ...]
) -> None:
    shop.add(*releases[0])
    shop.add(*releases[1])
    shop.add(*releases[2], channel="candidate")
    assert shop.proved == [("stable", 4, 4), ("stable", 8, 4), ("candidate", 4, 4)]


def test_nothing_that_is_not_proved_comes_in(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    before = contents(shop.repository)

    def refuse(*_: object) -> None:
        raise RefusedError("not proved")

    publisher = replace(shop.publisher(), prove=refuse)
    with pytest.raises(RefusedError):
        publisher.publish(Add(files=releases[1], channels=["stable"]))
    assert contents(shop.repository) == before


def test_adding_a_release_changes_nothing_that_was_published(
    shop: Shop, releases: tuple[Files, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.add(*releases[0])
    before = contents(shop.repository)
    pool = [path for path in before if path.endswith((".deb", ".rpm"))]
    # Neither read nor signed again: they are not there to be read.
    for path in pool:
        (shop.repository / path).rename(shop.repository / f"{path}.away")
    shop.add(*releases[1])
    for path in pool:
        (shop.repository / f"{path}.away").rename(shop.repository / path)
    after = contents(shop.repository)
    frozen = [path for path in before if "by-hash" in path or "pool" in path or "rpm/p" in path]
    assert {path: after[path] for path in frozen} == {path: before[path] for path in frozen}
    assert len(named(debs(shop.repository))) == 4
    assert len(named(rpms(shop.repository))) == 4


def test_the_same_bytes_again_are_no_news(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    before = contents(shop.repository)
    outcome = shop.add(*releases[0])
    assert not outcome.generations
    assert contents(shop.repository) == before


def test_published_packages_are_no_news_either(shop: Shop, releases: tuple[Files, ...]) -> None:
    """A signed rpm has other bytes than the one that was built; its repository knows both."""
    shop.add(*releases[0])
    before = contents(shop.repository)
    there = [
        path
        for path in sorted(shop.repository.rglob("demo-*"))
        if path.suffix in (".deb", ".rpm") and "-repository" not in path.name
        if "states" not in path.parts
    ]
    assert len(there) == 4
    assert not shop.add(*read(*there)).generations
    assert contents(shop.repository) == before


def test_other_words_about_published_bytes_are_no_news(
    shop: Shop, releases: tuple[Files, ...], packages: Path, tmp_path: Path
) -> None:
    """A later Interlock may build the same package and say other things of it beside."""
    shop.add(*releases[0])
    before = contents(shop.repository)
    dist = shutil.copytree(packages, tmp_path / "dist")
    for path in dist.glob("*.json"):
        path.write_text(path.read_text().replace('"interlock"', '"interlock-next"'))
    again = read(*(dist / Path(file.path).name for file in releases[0]))
    assert not shop.add(*again).generations
    assert contents(shop.repository) == before
    assert shop.add(*again, channel="candidate").arriving["candidate"]
    after = contents(shop.repository)
    beside = [path for path in before if path.endswith((".cdx.json", ".intoto.jsonl"))]
    assert len(beside) == 8
    assert {path: after[path] for path in beside} == {path: before[path] for path in beside}


def test_each_machine_has_its_own_index(shop: Shop, releases: tuple[Files, ...]) -> None:
    servers = [
        replace(
            file,
            architecture=machine,
            control=file.control.replace("Architecture: all", f"Architecture: {machine}"),
        )
        for file in releases[0]
        for machine in ("amd64", "s390x")
        if file.name == "demo-server" and file.format is Format.DEB
    ]
    databases = [file for file in releases[0] if file.name == "demo-database"]
    shop.add(*servers, *databases)
    suite = shop.repository / "deb/dists/stable"
    assert "Architectures: amd64 s390x\n" in (suite / "Release").read_text()
    for machine, other in (("amd64", "s390x"), ("s390x", "amd64")):
        text = (suite / f"main/binary-{machine}/Packages").read_text()
        assert f"demo-server_1.0.0-1_{machine}.deb" in text
        assert f"demo-server_1.0.0-1_{other}.deb" not in text
        assert "demo-database_1.0.0-1_all.deb" in text


def test_a_plain_package_is_let_in_by_name(
    shop: Shop, releases: tuple[Files, ...], tmp_path: Path
) -> None:
    (other,) = read(plain_deb(tmp_path, "libacme", "1.0-1"))
    shop.add(*releases[0], other, allowed="libacme")
    assert "libacme_1.0-1_all.deb" in debs(shop.repository)


@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_other_bytes_of_a_published_version_are_refused(
    shop: Shop, releases: tuple[Files, ...], kind: str
) -> None:
    shop.add(*releases[0])
    before = contents(shop.repository)
    file = next(one for one in releases[0] if one.format.value == kind)
    with pytest.raises(RefusedError) as raised:
        shop.add(replace(file, sha256="f" * 64))
    assert file.sha256 in str(raised.value)
    assert "f" * 64 in str(raised.value)
    assert contents(shop.repository) == before


def test_two_files_of_one_version_are_refused(shop: Shop, releases: tuple[Files, ...]) -> None:
    one = releases[0][0]
    with pytest.raises(RefusedError, match="are both"):
        shop.add(*releases[0], replace(one, path="other", sha256="f" * 64))


def test_a_package_that_changes_after_its_proof_is_refused(
    shop: Shop, releases: tuple[Files, ...], tmp_path: Path
) -> None:
    copies = [Path(shutil.copy(one.path, tmp_path)) for one in releases[0]]
    for one in releases[0]:
        for ending in (".cdx.json", ".provenance.json"):
            shutil.copy(one.path + ending, tmp_path)
    files = [replace(one, path=str(copy)) for one, copy in zip(releases[0], copies, strict=True)]
    copies[0].write_bytes(copies[0].read_bytes() + b"x")
    with pytest.raises(OutputError, match="changed since"):
        shop.add(*files)
    assert not (shop.repository / "deb").exists()


def test_no_package_is_read_more_often_than_its_proof_needs(
    shop: Shop, releases: tuple[Files, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for the bytes that were proved, and what was signed once more."""
    hashed: Counter[str] = Counter()

    def counted(path: Path) -> str:
        hashed[path.name] += path.suffix in (".deb", ".rpm")
        return sha256_of(path)

    monkeypatch.setattr("toolchain.publish.pool.sha256_of", counted)
    monkeypatch.setattr("toolchain.publish.attest.sha256_of", counted)
    shop.add(*releases[0])
    packages = {name: count for name, count in hashed.items() if count}
    assert packages == {name: 2 if name.endswith(".rpm") else 1 for name in packages}
    assert len(packages) == 6


def test_names_of_others_are_refused(shop: Shop, releases: tuple[Files, ...]) -> None:
    file = replace(releases[0][0], handshake=None)
    shop.add(*releases[0])
    for name, said in (
        ("demo-shard-north", "made on a customer's host"),
        ("demo-repository", "which publish makes"),
        ("postgresql", "--allow postgresql"),
        ("demo-server", "nothing says what it fits"),
        ("../../etc/passwd", "is no name"),
        ("a\nb", "is no name"),
    ):
        other = replace(file, name=name, version="9.0.0-1")
        with pytest.raises(RefusedError) as raised:
            shop.add(other)
        assert said in str(raised.value)


def test_a_shard_package_is_refused_even_where_its_name_is_allowed(
    shop: Shop, releases: tuple[Files, ...]
) -> None:
    shard = replace(releases[0][0], name="demo-shard-north", handshake=None)
    with pytest.raises(RefusedError, match="made on a customer's host"):
        shop.add(*releases[0], shard, allowed="demo-shard-north")


def test_a_repository_holds_one_product(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    file = next(one for one in releases[1] if one.name == "demo-server")
    assert file.handshake is not None
    other = replace(
        file, name="other-server", handshake=file.handshake.replace(b'"demo"', b'"other"')
    )
    with pytest.raises(RefusedError, match="demo and other"):
        shop.add(other)


def test_a_second_paragraph_does_not_reach_the_index(
    shop: Shop, releases: tuple[Files, ...]
) -> None:
    for text, said in (
        ("\n\nPackage: evil", "more than one paragraph"),
        ("\nFilename: elsewhere", "holds Filename"),
    ):
        files = [replace(one, control=one.control + text) for one in releases[0]]
        with pytest.raises(RefusedError, match=said):
            shop.add(*files)


def test_two_publishers_do_not_meet(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    with (
        locked(shop.repository / STATE),
        pytest.raises(OutputError, match="is publishing to"),
    ):
        shop.add(*releases[1])


def test_a_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    """Between its fork and its exec a child has every file that its parent has opened."""
    with locked(tmp_path):
        child = os.fork()
        if child == 0:
            signal.pause()
    try:
        with locked(tmp_path):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_channel_gets_what_another_has_byte_for_byte(
    shop: Shop, releases: tuple[Files, ...]
) -> None:
    shop.add(*releases[0])
    shop.add(*releases[0], channel="candidate")
    shop.add(*releases[1], channel="candidate")
    assert len(named(debs(shop.repository))) == 2
    before = contents(shop.repository)
    shop.do(Promote(release=Version(1, 1, 0), source="candidate", channels=["stable"]))
    assert named(debs(shop.repository)) == named(debs(shop.repository, "candidate"))
    assert named(rpms(shop.repository)) == named(rpms(shop.repository, "candidate"))
    after = contents(shop.repository)
    assert {path for path in after if path.endswith((".deb", ".rpm"))} == {
        path for path in before if path.endswith((".deb", ".rpm"))
    }
    assert shop.proved[-1] == ("stable", 8, 4)


def test_what_a_channel_lacks_is_not_promoted(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    with pytest.raises(UsageError, match="does not offer 9"):
        shop.do(Promote(release=Version(9, 0, 0), source="stable", channels=["candidate"]))
    with pytest.raises(UsageError, match="no channel beta"):
        shop.do(Promote(release=Version(1, 0, 0), source="beta", channels=["stable"]))


def test_a_refresh_makes_indexes_believed_for_longer(
    shop: Shop, releases: tuple[Files, ...]
) -> None:
    first = shop.add(*releases[0]).generations["stable"]
    pool = digest(shop.repository / "rpm/packages/demo-server-1.0.0-1.noarch.rpm")
    second = shop.do(Refresh()).generations["stable"]
    assert second.valid_until > first.valid_until
    assert digest(shop.repository / "rpm/packages/demo-server-1.0.0-1.noarch.rpm") == pool
    assert len(named(debs(shop.repository))) == 2


def test_a_dry_run_changes_nothing(shop: Shop, releases: tuple[Files, ...]) -> None:
    outcome = shop.add(*releases[0], signer=None)
    assert len(outcome.arriving["stable"]) == 4
    assert not shop.repository.exists()
    shop.add(*releases[0])
    before = contents(shop.repository)
    state = digest(shop.repository / STATE / "publish.sqlite")
    shop.add(*releases[1], signer=None)
    assert contents(shop.repository) == before
    assert digest(shop.repository / STATE / "publish.sqlite") == state


def test_serials_rise_although_the_clock_does_not(shop: Shop, releases: tuple[Files, ...]) -> None:
    one = shop.add(*releases[0], now=1_900_000_000).generations["stable"]
    two = shop.add(*releases[1], now=1_900_000_000).generations["stable"]
    assert two.serial > one.serial
    with pytest.raises(
        OutputError, match=r"behind .* of stable; set the clock; .* restore the whole"
    ):
        shop.add(*releases[2], now=1_800_000_000)
    with pytest.raises(OutputError, match="set the clock"):
        shop.add(*releases[2], now=1_800_000_000, signer=None)


def test_old_indexes_go_after_a_grace(shop: Shop, releases: tuple[Files, ...]) -> None:
    for release in releases[:3]:
        shop.add(*release)
    states = shop.repository / "rpm/states/stable"
    hashed = shop.repository / "deb/dists/stable/main/binary-amd64/by-hash/SHA256"
    assert len(list(states.iterdir())) == 3
    assert len(list(hashed.iterdir())) == 6
    shop.now += 3 * 86400
    shop.do(Refresh())
    assert len(list(states.iterdir())) == 2
    assert len(list(hashed.iterdir())) == 2


def test_an_unknown_address_is_asked_for(shop: Shop, releases: tuple[Files, ...]) -> None:
    with pytest.raises(UsageError, match="--url"):
        shop.add(*releases[0], url=None)
    shop.add(*releases[0])
    shop.add(*releases[1], url=None)


def test_a_new_address_makes_new_client_packages(shop: Shop, releases: tuple[Files, ...]) -> None:
    shop.add(*releases[0])
    shop.add(*releases[1])
    clients = {name for name in debs(shop.repository) if "-repository" in name}
    assert clients == {"demo-repository_1-1_all.deb"}
    shop.do(Refresh(), url="https://other.example.com/demo")
    clients = {name for name in debs(shop.repository) if "-repository" in name}
    assert clients == {"demo-repository_1-1_all.deb", "demo-repository_2-1_all.deb"}


def test_a_later_interlock_brings_its_client_packages(
    shop: Shop, releases: tuple[Files, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mended plugin must not wait for a new key to come to customers."""
    shop.add(*releases[0])
    plugin = tmp_path / "later/rpm/freshness-plugin.j2"
    plugin.parent.mkdir(parents=True)
    plugin.write_text((packaging_directory() / "rpm" / plugin.name).read_text() + "\n# mended\n")
    files = TemplateFiles((tmp_path / "later", packaging_directory()))
    monkeypatch.setattr("toolchain.publish.client.own_templates", lambda: Templates(files))
    shop.add(*releases[1])
    assert "demo-repository-2-1.noarch.rpm" in rpms(shop.repository)
    shop.do(Refresh())
    assert "demo-repository-3-1.noarch.rpm" not in rpms(shop.repository)


@pytest.mark.parametrize(
    "name", ["", "Stable", "a b", "../x", "states", "packages", "x" * 41, "-a"]
)
def test_channels_have_plain_names(name: str) -> None:
    with pytest.raises(ValueError, match="channel"):
        require_channel(name)


def test_a_key_that_signed_packages_stays_known(
    shop: Shop, releases: tuple[Files, ...], plain: Plain
) -> None:
    shop.add(*releases[0])
    ring = shop.repository / "keys/demo.asc"
    one = ring.read_bytes()
    other = replace(plain.keys[0], fingerprint="A" * 40)
    shop.add(*releases[1], signer=Plain(keys=(other,)))
    assert ring.read_bytes() == one + one
    assert (shop.repository / "keys/demo.gpg").stat().st_size < len(one)


def test_a_stolen_key_is_dropped_with_what_it_signed(
    shop: Shop, releases: tuple[Files, ...], plain: Plain
) -> None:
    old = plain.keys[0].fingerprint
    shop.add(*releases[0])
    with pytest.raises(UsageError, match="signs still"):
        shop.do(Refresh(dropped=[old]))
    successor = Plain(keys=(replace(plain.keys[0], fingerprint="A" * 40),))
    with pytest.raises(UsageError, match="never signed here"):
        shop.do(Refresh(dropped=["B" * 40]), signer=successor)
    shop.add(*releases[1], signer=successor)
    with pytest.raises(RefusedError, match=r"stable offers demo-\w+ 1\.0\.0-1 signed by that key"):
        shop.do(Refresh(dropped=[old]), signer=successor)
    ring = shop.repository / "keys/demo.asc"
    both = ring.read_bytes()
    outcome = shop.do(Refresh(dropped=[old], force=True), signer=successor)
    assert len(outcome.removed["stable"]) == 3
    assert rpms(shop.repository) == [
        "demo-database-1.1.0-1.noarch.rpm",
        "demo-repository-2-1.noarch.rpm",
        "demo-repository-3-1.noarch.rpm",
        "demo-server-1.1.0-1.noarch.rpm",
    ]
    # apt never asked for the signature of a package.
    assert len(named(debs(shop.repository))) == 4
    assert len(both) == 2 * len(ring.read_bytes())
    page = (shop.repository / "index.txt").read_text()
    assert "signs no more" not in page
