"""The builder: reproducible, incremental, all or nothing."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Interlock
from tests.samples import write_product, write_release
from tests.waiting import appeared

COMPANIONS = (".cdx.json", ".provenance.json")


def packages(directory: Path) -> dict[str, bytes]:
    found = (path for path in directory.iterdir() if path.suffix in {".deb", ".rpm"})
    return {path.name: path.read_bytes() for path in sorted(found)}


def companions(directory: Path) -> dict[str, bytes]:
    found = (path for path in directory.iterdir() if path.name.endswith(COMPANIONS))
    return {path.name: path.read_bytes() for path in sorted(found)}


def leftovers(directory: Path) -> list[str]:
    """What is no package, none of a package's companions, and not the build's own."""
    allowed = {".lock", ".digests.json", "manifest.json"}
    names = packages(directory)
    allowed |= {name + ending for name in names for ending in COMPANIONS}
    return [path.name for path in directory.iterdir() if path.name not in allowed | set(names)]


def test_builds_the_four_packages_of_a_release(product: Path, interlock: Interlock, tmp_path: Path):
    run = interlock("build", product, "1.1.0", "--json")
    assert run.returncode == 0, run.stderr
    names = {row["file"] for row in json.loads(run.stdout)["packages"]}
    assert names == {
        "demo-server_1.1.0-1_all.deb",
        "demo-database_1.1.0-1_all.deb",
        "demo-server-1.1.0-1.noarch.rpm",
        "demo-database-1.1.0-1.noarch.rpm",
    }
    assert set(packages(tmp_path / "dist")) == names
    assert leftovers(tmp_path / "dist") == []


def test_the_manifest_tells_relations_checksums_and_inputs(
    product: Path, interlock: Interlock, tmp_path: Path
):
    interlock("build", product)
    manifest = json.loads((tmp_path / "dist/manifest.json").read_text())
    rows = {row["file"]: row for row in manifest["packages"]}
    server = rows["demo-server_1.1.0-1_all.deb"]
    assert server["relations"] == [
        "provides demo-server-oldest-schema = 11",
        "conflicts demo-schema < 11",
        "depends python3",
        "depends systemd",
        "depends python3-psycopg2",
    ]
    database = rows["demo-database-1.1.0-1.noarch.rpm"]
    assert database["relations"][:2] == [
        "provides demo-schema = 11",
        "conflicts demo-server < 1.0.0",
    ]
    for name, content in packages(tmp_path / "dist").items():
        import hashlib

        assert rows[name]["sha256"] == hashlib.sha256(content).hexdigest()
        assert rows[name]["size"] == len(content)
        assert len(rows[name]["inputs"]) == 64


@pytest.mark.parametrize("compression", ["", "xz:1", "gzip:6", "none", "zstd:19"])
def test_bytes_do_not_depend_on_where_when_or_who(
    tmp_path: Path, interlock: Interlock, compression: str
):
    """Two checkouts that differ in all that a build host can differ in."""
    one = write_product(tmp_path / "one")
    other = write_product(tmp_path / "a longer place" / "other")
    if compression:
        for root in (one, other):
            path = root / "product.yaml"
            text = path.read_text()
            path.write_text(text.replace("debian-12]", f"debian-12], compression: {compression}"))
            path.write_text(path.read_text().replace("el-9]", f"el-9], compression: {compression}"))
    for path in other.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        if not os.access(path, os.X_OK):
            path.chmod(0o600)
    first = interlock("build", one, "--output", tmp_path / "first", TZ="UTC", LC_ALL="C")
    assert first.returncode == 0, first.stderr
    argv = (
        "unshare",
        "--uts",
        "sh",
        "-c",
        'hostname elsewhere && umask 077 && exec taskset -c 0 "$@"',
        "sh",
        sys.executable,
        "-m",
        "toolchain",
        "build",
        str(other),
        "--output",
        str(tmp_path / "second"),
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "TZ": "Asia/Tokyo",
        "LC_ALL": "tr_TR.UTF-8",
        "HOME": str(tmp_path),
        "USER": "somebody",
        "LOGNAME": "somebody",
        "SOURCE_DATE_EPOCH": "5",
        "PYTHONHASHSEED": "7",
    }
    (tmp_path / ".rpmmacros").write_text("%_buildhost leaked\n%packager leaked\n%dist .leaked\n")
    second = subprocess.run(argv, env=environment, cwd="/", capture_output=True, check=False)
    assert second.returncode == 0, second.stderr
    assert packages(tmp_path / "first") == packages(tmp_path / "second")
    assert companions(tmp_path / "first") == companions(tmp_path / "second")
    assert len(companions(tmp_path / "first")) == 2 * len(packages(tmp_path / "first"))
    manifests = [(tmp_path / name / "manifest.json").read_bytes() for name in ("first", "second")]
    assert manifests[0] == manifests[1]


def test_one_release_alone_has_the_bytes_it_has_in_the_chain(tmp_path: Path, interlock: Interlock):
    """Several specs share one rpmbuild, whose environment could leak from one to the next."""
    root = write_product(tmp_path / "demo", releases=5)
    interlock("build", root, "--output", tmp_path / "all")
    for version in ("1.0.0", "1.3.0"):
        interlock("build", root, version, "--output", tmp_path / version)
        together = packages(tmp_path / "all")
        for name, content in packages(tmp_path / version).items():
            assert together[name] == content
        beside = companions(tmp_path / version)
        assert beside.items() < companions(tmp_path / "all").items()


def test_nothing_unchanged_is_built_again(product: Path, interlock: Interlock, tmp_path: Path):
    interlock("build", product)
    before = {path.name: path.stat().st_ino for path in (tmp_path / "dist").glob("[!.]*")}
    again = interlock("build", product, "--json")
    assert [row["made"] for row in json.loads(again.stdout)["packages"]] == [False] * 8
    after = {path.name: path.stat().st_ino for path in (tmp_path / "dist").glob("[!.]*")}
    assert before == after


@pytest.mark.parametrize(
    ("change", "rebuilt"),
    [
        ("payload", {"server"}),
        ("sql", {"database"}),
        ("tampered", {"server"}),
        ("missing", {"database"}),
        ("template", {"server", "database"}),
    ],
)
def test_what_changed_is_built_again(
    product: Path, interlock: Interlock, tmp_path: Path, change: str, rebuilt: set[str]
):
    interlock("build", product, "--format", "deb")
    match change:
        case "payload":
            (product / "payload/lib/module.py").write_text("VALUE = 2\n")
        case "sql":
            (product / "sql/table-0.sql").write_text("CREATE TABLE other (id bigint);\n")
        case "tampered":
            with (tmp_path / "dist/demo-server_1.0.0-1_all.deb").open("ab") as file:
                file.write(b"\0")
        case "missing":
            (tmp_path / "dist/demo-database_1.1.0-1_all.deb").unlink()
        case "template":
            own = product / "packaging/deb"
            own.mkdir(parents=True)
            shutil.copy(REPOSITORY / "packaging/deb/copyright.j2", own)
            with (own / "copyright.j2").open("a") as file:
                file.write("# ours\n")
    again = interlock("build", product, "--format", "deb", "--json")
    made = {row["role"] for row in json.loads(again.stdout)["packages"] if row["made"]}
    assert made == rebuilt


def test_a_products_own_template_stands_before_interlocks(
    product: Path, interlock: Interlock, tmp_path: Path
):
    own = product / "packaging/common"
    own.mkdir(parents=True)
    (own / "service.j2").write_text("[Service]\nExecStart={{ command | command_word }}\n# ours\n")
    assert interlock("build", product, "1.0.0", "--format", "deb").returncode == 0
    deb = tmp_path / "dist/demo-server_1.0.0-1_all.deb"
    subprocess.run(("dpkg-deb", "-x", deb, tmp_path / "x"), check=True)
    assert "# ours" in (tmp_path / "x/usr/lib/systemd/system/demo-web.service").read_text()


def test_a_template_that_drops_a_relation_is_caught_before_publication(
    product: Path, interlock: Interlock, tmp_path: Path
):
    own = product / "packaging/deb"
    own.mkdir(parents=True)
    text = (REPOSITORY / "packaging/deb/control.j2").read_text()
    (own / "control.j2").write_text(text.replace("{{ field }}: ", "X-{{ field }}: "))
    run = interlock("build", product, "--format", "deb")
    assert run.returncode == 4
    # Whichever of the packages is read back first.
    assert re.fullmatch(
        r"interlock: demo-(server|database)_1\.[01]\.0-1_all\.deb lacks 'conflicts demo-\w+ < [0-9.]+';"
        r" a template in the product's packaging/ directory changes it; mend that",
        run.stderr.splitlines()[-1],
    )
    assert packages(tmp_path / "dist") == {}
    assert leftovers(tmp_path / "dist") == []


def test_a_broken_template_is_one_sentence_with_its_line(product: Path, interlock: Interlock):
    own = product / "packaging/deb"
    own.mkdir(parents=True)
    (own / "control.j2").write_text("Package: {{ package.name }}\n{{ nothing }}\n")
    run = interlock("build", product, "--format", "deb")
    assert run.returncode == 3
    assert "packaging/deb/control.j2:2: 'nothing' is undefined" in run.stderr
    assert "Traceback" not in run.stderr
    checked = interlock("check", product)
    assert checked.returncode == 1
    assert "packaging/deb/control.j2:2:1: 'nothing' is undefined" in checked.stdout
    assert "no problems" not in checked.stderr


@pytest.mark.parametrize("missing", ["dpkg-deb", "rpmbuild"])
def test_a_missing_tool_is_one_sentence(product: Path, tmp_path: Path, missing: str):
    script = (
        "import toolchain.edge.process as p, shutil\n"
        "found = shutil.which\n"
        f"p.shutil.which = lambda name, path=None: None if name == {missing!r} else found(name)\n"
        "import sys; sys.argv[0] = 'interlock'\n"
        "from toolchain.cli import main; main()\n"
    )
    run = subprocess.run(
        (sys.executable, "-c", script, "build", str(product), "--output", str(tmp_path / "dist")),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 4
    assert run.stderr.startswith(f"interlock: {missing} is not installed; install ")
    assert packages(tmp_path / "dist") == {}


def test_a_failing_rpmbuild_changes_nothing(product: Path, interlock: Interlock, tmp_path: Path):
    interlock("build", product)
    before = packages(tmp_path / "dist")
    own = product / "packaging/rpm"
    own.mkdir(parents=True)
    (own / "spec.j2").write_text("Name: {{ main.name }}\nNonsense\n")
    run = interlock("build", product)
    assert run.returncode == 4
    assert run.stderr.count("\n") == 1
    assert "rpmbuild failed" in run.stderr
    assert packages(tmp_path / "dist") == before
    assert leftovers(tmp_path / "dist") == []


def test_a_full_disk_changes_nothing(product: Path, tmp_path: Path, interlock: Interlock):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk), check=True)
    try:
        (product / "payload/lib/large").write_bytes(os.urandom(3 << 20))
        run = interlock("build", product, "--output", disk / "dist")
        assert run.returncode in {4, 5}, run.stderr
        assert "No space left on device" in run.stderr or "no space left" in run.stderr
        assert "Traceback" not in run.stderr
        assert packages(disk / "dist") == {}
        assert leftovers(disk / "dist") == []
    finally:
        subprocess.run(("umount", disk), check=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_build_leaves_nothing_behind(tmp_path: Path, number: signal.Signals):
    root = write_product(tmp_path / "demo", releases=1)
    (root / "payload/lib/large").write_bytes(os.urandom(40 << 20))
    text = (root / "product.yaml").read_text()
    (root / "product.yaml").write_text(text.replace("debian-12]", "debian-12], compression: xz:9"))
    dist = tmp_path / "dist"
    process = subprocess.Popen(
        (
            "env",
            "--default-signal",
            sys.executable,
            "-m",
            "toolchain",
            "build",
            str(root),
            "--output",
            str(dist),
        ),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not appeared(dist, ".staging-*/*") and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.endswith("interlock: interrupted; nothing was changed\n")
    assert packages(dist) == {}
    assert leftovers(dist) == []


def test_what_a_killed_build_left_goes_with_the_next(product: Path, tmp_path: Path, interlock):
    stale = tmp_path / "dist/.staging-killed"
    (stale / "tree").mkdir(parents=True)
    assert interlock("build", product, "1.0.0", "--format", "deb").returncode == 0
    assert not stale.exists()


def test_two_builds_do_not_share_an_output(product: Path, tmp_path: Path, interlock: Interlock):
    import fcntl

    dist = tmp_path / "dist"
    dist.mkdir()
    with (dist / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = interlock("build", product)
    assert run.returncode == 5
    assert "another build is writing to dist" in run.stderr


@pytest.mark.parametrize("release", ["9.9.9", "1.1", "x"])
def test_a_release_that_does_not_exist_is_named_with_those_that_do(
    product: Path, interlock: Interlock, release: str
):
    run = interlock("build", product, release)
    assert run.returncode == 2
    assert "1.0.0, 1.1.0" in run.stderr


def elf(machine: int) -> bytes:
    return (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + (2).to_bytes(2, "little")
        + machine.to_bytes(2, "little")
        + bytes(64)
    )


def test_each_architecture_gets_its_own_binaries(tmp_path: Path, interlock: Interlock):
    root = write_product(tmp_path / "demo", releases=1, architectures="amd64, arm64")
    for name, machine in (("amd64", 62), ("arm64", 183)):
        (root / f"payload/{name}").write_bytes(elf(machine))
        (root / f"payload/{name}").chmod(0o755)
    path = root / "1.0.0.yaml"
    both = "{amd64: payload/amd64, arm64: payload/arm64}"
    path.write_text(path.read_text().replace("source: payload/demo-web", f"source: {both}"))
    run = interlock("build", root)
    assert run.returncode == 0, run.stderr
    assert set(packages(tmp_path / "dist")) == {
        "demo-server_1.0.0-1_amd64.deb",
        "demo-server_1.0.0-1_arm64.deb",
        "demo-database_1.0.0-1_all.deb",
        "demo-server-1.0.0-1.x86_64.rpm",
        "demo-server-1.0.0-1.aarch64.rpm",
        "demo-database-1.0.0-1.noarch.rpm",
    }
    wrong = "{amd64: payload/arm64, arm64: payload/arm64}"
    path.write_text(path.read_text().replace(both, wrong))
    run = interlock("build", root)
    assert run.returncode == 3
    assert "payload/arm64 is a binary for arm64, and the package is for amd64" in run.stderr
    assert "1.0.0.yaml:" in run.stderr


STRANGE = ["a b", "0000-[", "x*", "xx", "%d", "%{nil}", "-rf", "#lead", "ü", 'q"q', "s's"]
STRANGE += ["{a,b}", "$HOME", "b\\s", "q?", " lead", "trail ", "[ab]", "a", "!x", "~y", "`id`"]


def test_files_of_any_name_are_packed_as_they_are(tmp_path: Path, interlock: Interlock):
    root = write_product(tmp_path / "demo", releases=1)
    for name in STRANGE:
        (root / "payload/lib" / name).write_text(f"content of {name}")
    run = interlock("build", root)
    assert run.returncode == 0, run.stderr
    for target, argv in (
        ("deb", ("dpkg-deb", "-x", tmp_path / "dist/demo-server_1.0.0-1_all.deb")),
        ("rpm", ("sh", "-c", 'mkdir "$2" && cd "$2" && rpm2cpio "$1" | cpio -idm --quiet', "sh")),
    ):
        where = tmp_path / target
        source = () if target == "deb" else (tmp_path / "dist/demo-server-1.0.0-1.noarch.rpm",)
        subprocess.run((*argv, *source, where), check=True)
        for name in STRANGE:
            assert (where / "usr/lib/demo" / name).read_text() == f"content of {name}"


def test_text_stays_text(tmp_path: Path, interlock: Interlock):
    """Macros, templates and shell in every free text of a spec run nowhere."""
    root = write_product(tmp_path / "demo", releases=1)
    canary = tmp_path / "canary"
    text = (
        f"x %(touch {canary}) %{{lua:os.execute('touch {canary}')}} $(touch {canary}) {{{{ 7*7 }}}}"
    )
    product = (root / "product.yaml").read_text()
    product = product.replace("Demonstration of a pair", json.dumps(text[:60]))
    product = product.replace(
        "  A product for tests, whose description is longer than its summary.",
        f"  A product. {text}\n\n  More: {text}",
    )
    (root / "product.yaml").write_text(product)
    release = root / "1.0.0.yaml"
    release.write_text(release.read_text().replace("- Release 1.0.0.", f"- {json.dumps(text)}"))
    run = interlock("build", root)
    assert run.returncode == 0, run.stderr
    assert not canary.exists()
    rpm = tmp_path / "dist/demo-server-1.0.0-1.noarch.rpm"
    deb = tmp_path / "dist/demo-server_1.0.0-1_all.deb"
    shown = subprocess.run(
        ("rpm", "-qp", "--qf", "%{DESCRIPTION}", rpm), check=True, capture_output=True, text=True
    )
    assert text in shown.stdout
    shown = subprocess.run(
        ("dpkg-deb", "-f", deb, "Description"), check=True, capture_output=True, text=True
    )
    assert text in shown.stdout
    assert not canary.exists()


def test_fifty_releases_pair_up(tmp_path: Path, interlock: Interlock):
    root = write_product(tmp_path / "demo", releases=1)
    for number in range(1, 50):
        write_release(root, number)
    assert interlock("build", root).returncode == 0
    assert len(packages(tmp_path / "dist")) == 200


def test_releases_without_a_spec_leave_the_output(
    product: Path, interlock: Interlock, tmp_path: Path
):
    interlock("build", product)
    (product / "1.1.0.yaml").unlink()
    partial = interlock("build", product, "1.0.0", "--json")
    assert json.loads(partial.stdout)["removed"] == []
    run = interlock("build", product, "--json")
    assert len(json.loads(run.stdout)["removed"]) == 4
    assert {name for name in packages(tmp_path / "dist") if "1.1.0" in name} == set()
    manifest = json.loads((tmp_path / "dist/manifest.json").read_text())
    assert {row["release"] for row in manifest["packages"]} == {"1.0.0"}


def test_a_release_named_twice_is_built_once(product: Path, interlock: Interlock, tmp_path: Path):
    run = interlock("build", product, "1.0.0", "1.0.0")
    assert run.returncode == 0, run.stderr
    assert len(packages(tmp_path / "dist")) == 4


def test_interlocks_own_code_is_an_input():
    from toolchain.edge.resources import own_sources

    assert {"render/deb.py", "build/rpm.py", "edge/staging.py", "plan/package.py"} <= set(
        dict(own_sources())
    )


def test_a_licence_that_leads_out_of_the_product_is_not_followed(
    product: Path, interlock: Interlock, tmp_path: Path
):
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    (product / "LICENSE").symlink_to(secret)
    assert interlock("build", product, "1.0.0", "--format", "deb").returncode == 0
    deb = tmp_path / "dist/demo-server_1.0.0-1_all.deb"
    subprocess.run(("dpkg-deb", "-x", deb, tmp_path / "x"), check=True)
    text = (tmp_path / "x/usr/share/doc/demo-server/copyright").read_text()
    assert "the secret" not in text


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("unknown", "replaces no template"),
        ("link", "is a symbolic link"),
        ("bytes", "is not UTF-8"),
        ("error", "packaging/deb/control.j2"),
    ],
)
def test_an_overlay_that_cannot_work_is_one_sentence(
    product: Path, interlock: Interlock, tmp_path: Path, kind: str, words: str
):
    own = product / "packaging/deb"
    own.mkdir(parents=True)
    match kind:
        case "unknown":
            (own / "postints.j2").write_text("#!/bin/sh\n")
        case "link":
            (own / "control.j2").symlink_to("/etc/passwd")
        case "bytes":
            (own / "control.j2").write_bytes(b"\xff")
        case "error":
            (own / "control.j2").write_text("{{ 1 / 0 }}\n")
    run = interlock("build", product, "--format", "deb")
    assert run.returncode == 3
    assert words in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_service_that_a_release_drops_is_stopped_by_its_packages(
    product: Path, interlock: Interlock, tmp_path: Path
):
    path = product / "1.1.0.yaml"
    text = path.read_text()
    path.write_text(text.replace("service: {user", "service: {name: demo-site, user"))
    assert interlock("build", product, "1.1.0").returncode == 0
    deb = tmp_path / "dist/demo-server_1.1.0-1_all.deb"
    subprocess.run(("dpkg-deb", "-e", deb, tmp_path / "control"), check=True)
    postinst = (tmp_path / "control/postinst").read_text()
    assert "systemctl stop demo-web.service" in postinst
    assert "deb-systemd-helper purge demo-web.service" in postinst
    rpm = tmp_path / "dist/demo-server-1.1.0-1.noarch.rpm"
    argv = ("rpm", "-qp", "--nosignature", "--queryformat", "%{POSTIN}", rpm)
    post = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert "systemctl --no-reload disable --now demo-web.service" in post


@pytest.mark.parametrize("role", ["server", "database"])
def test_a_command_that_cannot_run_refuses_nothing(
    product: Path, interlock: Interlock, tmp_path: Path, role: str
):
    """Its exit code must not be 1, which the last resort in preinst takes for a refusal."""
    assert interlock("build", product, "1.0.0", "--format", "deb").returncode == 0
    deb = tmp_path / f"dist/demo-{role}_1.0.0-1_all.deb"
    subprocess.run(("dpkg-deb", "-x", deb, tmp_path / "x"), check=True)
    launcher = tmp_path / f"x/usr/bin/demo-{role}"
    run = subprocess.run(
        (sys.executable, "-I", launcher, "status"), capture_output=True, text=True, check=False
    )
    assert run.returncode == 3
    assert run.stderr.count("\n") == 1
    assert "install python3-psycopg2" in run.stderr


def test_every_service_can_read_the_shards_file(
    product: Path, interlock: Interlock, tmp_path: Path
):
    path = product / "1.0.0.yaml"
    text = path.read_text()
    second = (
        "    - {source: payload/demo-web, target: /usr/bin/demo-two, service: {user: demo-two}}\n"
        "  config:\n"
    )
    text = text.replace("  config:\n", second, 1)
    text = text.replace(
        "  users:\n",
        "  users:\n    - {name: demo-two, description: Second, home: /var/lib/demo}\n",
    )
    path.write_text(text)
    run = interlock("build", product, "1.0.0", "--format", "deb")
    assert run.returncode == 0, run.stderr
    deb = tmp_path / "dist/demo-server_1.0.0-1_all.deb"
    subprocess.run(("dpkg-deb", "-x", deb, tmp_path / "x"), check=True)
    units = tmp_path / "x/usr/lib/systemd/system"
    for name in ("demo-two", "demo-two-registration"):
        assert "SupplementaryGroups=demo\n" in (units / f"{name}.service").read_text()
    assert "SupplementaryGroups" not in (units / "demo-web.service").read_text()
