"""Package files of anyone: every field is read, and damage is a sentence."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.verify_samples import plain_deb, plain_rpm, read
from toolchain.edge.cpio import CpioError, regular_files
from toolchain.edge.package_files import deb_relations
from toolchain.errors import UsageError
from toolchain.model.carried import Field, PackageFile
from toolchain.model.release import Format
from toolchain.verify.intake import package_paths


def words(package: PackageFile) -> set[str]:
    return {str(relation) for relation in package.relations}


def test_every_field_of_a_deb_is_read(tmp_path: Path):
    deb = plain_deb(
        tmp_path,
        "demo-server",
        "2:1.0.0-1",
        Depends="python3:any (>= 3.9), a | b (<< 2)",
        Pre_Depends="c",
        Recommends="d",
        Breaks="demo-schema (<< 10)",
        Replaces="e (= 1)",
        Protected="yes",
    )
    (package,) = read(deb)
    assert (package.name, package.version, package.protected) == ("demo-server", "2:1.0.0-1", True)
    assert package.handshake is None
    assert words(package) == {
        "Depends: python3 >= 3.9",
        "Depends: a | b < 2",
        "Pre-Depends: c",
        "Recommends: d",
        "Breaks: demo-schema < 10",
        "Replaces: e = 1",
    }


def test_every_field_of_an_rpm_is_read(tmp_path: Path):
    rpm = plain_rpm(
        tmp_path,
        "demo-server",
        "1.0.0",
        Epoch="2",
        Requires="demo-schema >= 10",
        Conflicts="demo-schema < 9",
        Obsoletes="old-server",
        Recommends="c",
        Supplements="d",
    )
    (package,) = read(rpm)
    assert (package.version, package.protected) == ("2:1.0.0-1", False)
    assert words(package) == {
        "Provides: demo-server = 2:1.0.0-1",
        "Requires: demo-schema >= 10",
        "Conflicts: demo-schema < 9",
        "Obsoletes: old-server",
        "Recommends: c",
        "Supplements: d",
    }


def test_both_formats_of_one_release_say_the_same(files: tuple[PackageFile, ...]):
    by_format = {
        format_: {
            (file.name, file.version): (file.handshake, file.protected)
            for file in files
            if file.format is format_
        }
        for format_ in Format
    }
    assert by_format[Format.DEB] == by_format[Format.RPM]
    assert all(handshake and protected for handshake, protected in by_format[Format.DEB].values())


def test_debian_reads_old_operators_and_spaces_as_policy_says():
    (relation,) = deb_relations(Field.CONFLICTS, " demo-schema ( < 10 ) ")
    assert str(relation) == "Conflicts: demo-schema <= 10"
    with pytest.raises(ValueError, match="holds"):
        list(deb_relations(Field.CONFLICTS, "demo schema"))


@pytest.mark.parametrize("ending", ["deb", "rpm"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.9])
def test_a_truncated_package_is_a_sentence(
    packages: Path, tmp_path: Path, ending: str, part: float
):
    whole = next(packages.glob(f"fleetdesk-server*4.1.0*.{ending}")).read_bytes()
    broken = tmp_path / f"broken.{ending}"
    broken.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(UsageError, match=f"{broken} is damaged: .+; build it or fetch it again"):
        read(broken)


def test_what_is_no_package_is_a_sentence(tmp_path: Path):
    note = tmp_path / "note.txt"
    note.write_text("hello")
    with pytest.raises(UsageError, match="is no deb and no rpm"):
        read(note)
    with pytest.raises(UsageError, match="holds no deb and no rpm"):
        read(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        read(tmp_path / "nothing")
    (tmp_path / "empty.deb").touch()
    with pytest.raises(UsageError, match="is no deb and no rpm"):
        read(tmp_path)


def test_a_fifo_is_never_waited_for(tmp_path: Path):
    """Also where it took a package's place after the search."""
    os.mkfifo(tmp_path / "a.deb")
    text = (
        "import sys; from pathlib import Path\n"
        "from toolchain.edge.package_files import read_package\n"
        "from toolchain.edge.process import Processes\n"
        "read_package(Path(sys.argv[1]), Processes())"
    )
    argv = (sys.executable, "-c", text, str(tmp_path / "a.deb"))
    run = subprocess.run(
        argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stderr.splitlines()[-1].startswith("toolchain.errors.UsageError: ")
    assert "is a FIFO and no regular file" in run.stderr


def test_odd_file_names_are_read_as_they_are(packages: Path, tmp_path: Path):
    for number, name in enumerate(("a b.{}", "x[1]*?.{}", "-rf.{}", "%d.{}")):
        for ending in ("deb", "rpm"):
            source = next(packages.glob(f"fleetdesk-server*4.1.0-1*.{ending}"))
            path = tmp_path / f"{number}{ending}" / name.format(ending)
            path.parent.mkdir()
            path.write_bytes(source.read_bytes())
            (package,) = read(path)
            assert package.version == "4.1.0-1"
            assert package.handshake


def test_a_repository_is_searched_and_sources_are_passed_over(packages: Path, tmp_path: Path):
    pool = tmp_path / "pool/main/f"
    pool.mkdir(parents=True)
    (pool / "link.deb").symlink_to(next(packages.glob("*server*4.1.0*.deb")))
    (pool / "twice.deb").symlink_to(next(packages.glob("*server*4.1.0*.deb")))
    (tmp_path / "a.src.rpm").touch()
    (tmp_path / "Packages").touch()
    assert len(package_paths([tmp_path, pool / "link.deb"])) == 1


def test_a_payload_that_is_no_cpio_archive_is_an_error():
    for archive in (b"", b"x" * 200, b"070701" + b"zz" * 60):
        with pytest.raises(CpioError):
            list(regular_files(io.BytesIO(archive)))
