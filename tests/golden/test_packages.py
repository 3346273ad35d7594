"""What a release's packages say and do, as text; `pytest --update-golden` rewrites it.

A difference here is a difference in behaviour at customers' and is reviewed as such.
"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Interlock

GOLDEN = Path(__file__).parent / "fleetdesk-4.1.0"
RPM_TEXT = (
    "Name: %{NAME}\nVersion: %{VERSION}\nRelease: %{RELEASE}\nArchitecture: %{ARCH}\n"
    "Summary: %{SUMMARY}\nLicense: %{LICENSE}\nURL: %{URL}\nBuilt: %{BUILDTIME} on %{BUILDHOST}\n"
    "[Provides: %{PROVIDENEVRS}\n][Conflicts: %{CONFLICTNEVRS}\n][Requires: %{REQUIRENEVRS}\n]"
    "[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEFLAGS:fflags} %{FILENAMES}\n]"
)
SCRIPTLETS = ("PREIN", "POSTIN", "PREUN", "POSTUN", "POSTTRANS")
GENERATED = (
    "usr/lib/systemd",
    "usr/lib/sysusers.d",
    "usr/lib/tmpfiles.d",
    "usr/lib/fleetdesk-server/apt-hook",
    "usr/lib/fleetdesk-server/ask-hook",
    "etc/apt",
)


def output(*argv: object) -> str:
    return subprocess.run(tuple(map(str, argv)), check=True, capture_output=True, text=True).stdout


def texts(dist: Path, scratch: Path) -> dict[str, str]:
    """Every text of the pair, by a name of its own."""
    found: dict[str, str] = {}
    for deb in sorted(dist.glob("*.deb")):
        name = deb.name.split("_")[0]
        control, data = scratch / f"{name}-control", scratch / f"{name}-data"
        subprocess.run(("dpkg-deb", "-e", deb, control), check=True)
        subprocess.run(("dpkg-deb", "-x", deb, data), check=True)
        for path in sorted(control.iterdir()):
            if path.name != "md5sums":
                # The size follows every line of the runner, and says nothing to review.
                text = re.sub(r"^(Installed-Size:).*", r"\1 …", path.read_text(), flags=re.M)
                found[f"deb/{name}/{path.name}"] = text
        found[f"deb/{name}/contents"] = "".join(
            f"{line.split()[0]} {line.split()[1]} {line.split(' ./', 1)[1]}\n"
            for line in output("dpkg-deb", "-c", deb).splitlines()
        )
        for path in sorted(data.rglob("*")):
            relative = str(path.relative_to(data))
            if path.is_file() and relative.startswith(GENERATED):
                found[f"files/{relative}"] = path.read_text()
            if path.name in {"release.json", "manifest.json"}:
                found[f"files/{relative}"] = path.read_text()
    for rpm in sorted(dist.glob("*.rpm")):
        name = rpm.name.rsplit("-", 2)[0]
        found[f"rpm/{name}/header"] = output("rpm", "-qp", "--nosignature", "--qf", RPM_TEXT, rpm)
        for tag in SCRIPTLETS:
            text = output("rpm", "-qp", "--nosignature", "--qf", f"%{{{tag}}}", rpm)
            if text != "(none)":
                found[f"rpm/{name}/{tag.lower()}"] = text + "\n"
    return found


def test_the_pair_says_and_does_what_was_reviewed(
    interlock: Interlock, tmp_path: Path, request: pytest.FixtureRequest
):
    run = interlock("build", REPOSITORY / "release-specs/fleetdesk", "4.1.0")
    assert run.returncode == 0, run.stderr
    found = texts(tmp_path / "dist", tmp_path)
    if request.config.getoption("--update-golden"):
        for path in sorted(GOLDEN.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        for name, text in found.items():
            (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / name).write_text(text)
    expected = {
        str(path.relative_to(GOLDEN)): path.read_text()
        for path in sorted(GOLDEN.rglob("*"))
        if path.is_file()
    }
    assert found == expected
