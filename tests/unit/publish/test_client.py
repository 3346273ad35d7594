"""The client packages and the set-up page: what they hold, and what never gets into them."""

import subprocess
from configparser import RawConfigParser
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from debian.deb822 import Deb822
from debian.debfile import DebFile

from tests.conftest import REPOSITORY
from tests.unit.publish.client_setups import KEY, client_setup
from toolchain.edge.process import Processes
from toolchain.plan.client import ClientSetup, require_url
from toolchain.publish.client import build_client_packages, own_templates
from toolchain.render.page import Offer, Page, page_html, page_text

FORMER = replace(KEY, fingerprint="C" * 40, armored=KEY.armored.replace(b"AAAA", b"BBBB"))
SETUP = client_setup(KEY, former=(FORMER,), serial=7)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build_client_packages(SETUP, tmp_path_factory.mktemp("client"), Processes())


def output(*argv: object) -> str:
    return subprocess.run(tuple(map(str, argv)), capture_output=True, text=True, check=True).stdout


def deb_file(deb: Path, name: str) -> bytes:
    with DebFile(str(deb)) as file:
        return bytes(file.data.get_content(f".{name}"))


def rpm_file(rpm: Path, name: str) -> bytes:
    with subprocess.Popen(("rpm2cpio", rpm), stdout=subprocess.PIPE) as unpacked:
        return subprocess.run(
            ("cpio", "--extract", "--to-stdout", "--quiet", f".{name}"),
            stdin=unpacked.stdout,
            capture_output=True,
            check=True,
        ).stdout


def test_apt_is_told_of_each_channel_and_of_the_keys_that_sign(built: tuple[Path, Path]):
    deb, _ = built
    assert deb.name == "acme-repository_7-1_all.deb"
    text = deb_file(deb, "/etc/apt/sources.list.d/acme.sources").decode()
    stable, candidate = Deb822.iter_paragraphs(text)
    assert dict(stable) == {
        "Enabled": "yes",
        "Types": "deb",
        "URIs": "https://packages.example.com/acme/deb/",
        "Suites": "stable",
        "Components": "main",
        "Signed-By": "/usr/share/keyrings/acme-archive-keyring.gpg",
        "Check-Valid-Until": "yes",
    }
    assert dict(candidate) == {**stable, "Enabled": "no", "Suites": "candidate"}
    # The key that signs and no former one: an index is always signed by a key of today.
    assert deb_file(deb, "/usr/share/keyrings/acme-archive-keyring.gpg") == b"\0\0\0"
    assert output("dpkg-deb", "--info", deb, "conffiles").split() == [
        "/etc/apt/sources.list.d/acme.sources",
        "/etc/apt/preferences.d/acme.pref",
    ]
    (pin,) = Deb822.iter_paragraphs(deb_file(deb, "/etc/apt/preferences.d/acme.pref").decode())
    assert (pin["Package"], pin["Pin"], pin["Pin-Priority"]) == ("acme-*", "release o=acme", "600")


def test_dnf_is_told_of_each_channel_and_of_all_keys(built: tuple[Path, Path]):
    _, rpm = built
    assert rpm.name == "acme-repository-7-1.noarch.rpm"
    parser = RawConfigParser()
    parser.read_string(rpm_file(rpm, "/etc/yum.repos.d/acme.repo").decode())
    assert parser.sections() == ["acme-stable", "acme-candidate"]
    stable = dict(parser["acme-stable"])
    assert stable["mirrorlist"] == "https://packages.example.com/acme/rpm/stable.mirrors"
    assert stable["gpgkey"] == "file:///etc/pki/rpm-gpg/RPM-GPG-KEY-acme"
    assert {stable[name] for name in ("enabled", "gpgcheck", "repo_gpgcheck")} == {"1"}
    assert "baseurl" not in stable
    assert parser["acme-candidate"]["enabled"] == "0"
    # rpms of its time are signed by the former key, and are never signed again.
    keys = rpm_file(rpm, "/etc/pki/rpm-gpg/RPM-GPG-KEY-acme")
    assert keys == KEY.armored + FORMER.armored
    assert output("rpm", "-qp", "--configfiles", rpm).split() == ["/etc/yum.repos.d/acme.repo"]
    listed = output("rpm", "-qp", "--qf", "[%{FILENAMES} %{FILEMODES:perms}\n]", rpm)
    assert "/var/lib/acme-repository drwx------" in listed.splitlines()
    assert 'frozenset(["acme-candidate", "acme-stable"])' in (
        rpm_file(rpm, "/usr/lib/acme-repository/dnf_plugin.py").decode()
    )


def test_the_same_set_up_gives_the_same_bytes(built: tuple[Path, Path], tmp_path: Path):
    again = build_client_packages(SETUP, tmp_path, Processes())
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in built]


def test_linters_find_nothing(built: tuple[Path, Path]):
    deb, rpm = built
    argv = ("lintian", "--allow-root", "--fail-on", "error,warning", deb)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    said = output("rpmlint", "--config", REPOSITORY / "packaging/rpm/rpmlint.toml", rpm)
    assert "0 errors, 0 warnings" in said


@pytest.mark.parametrize("url", ["https://a.example/x", "http://10.0.0.1:8080", "file:///srv/a"])
def test_addresses_that_a_host_can_use(url: str):
    assert require_url(url + "/") == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://user:secret@a.example/x", "holds a user name or a password"),
        ("ftp://a.example/x", "is no address"),
        ("a.example/x", "is no address"),
        ("https://a.example/x y", "is no address"),
        ("https://a.example/x\nTrusted: yes", "is no address"),
        ("https://a.example/$basearch", "is no address"),
        ("https://a.example/x?token=1", "is no address"),
        ("https://a.example/x'; rm -rf /", "is no address"),
        ("https://a.example/../x", "holds a way up"),
        ("file://", "is no address"),
    ],
)
def test_addresses_that_would_mean_something_else(url: str, reason: str):
    with pytest.raises(ValueError, match=reason) as caught:
        require_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"product": "Acme\nTrusted: yes"},
        {"url": "https://a.example/"},
        {"channels": ("stable", "../x")},
        {"enabled": ("testing",)},
        {"enabled": ()},
        {"keys": ()},
        {"keys": (replace(KEY, fingerprint="30EF8CE4"),)},
        {"serial": 0},
        {"summary": "two\nlines"},
        {"maintainer": ""},
    ],
)
def test_a_set_up_of_bad_values_is_refused(change: dict[str, object]):
    with pytest.raises(ValueError, match=r"\w"):
        replace(SETUP, **change)  # type: ignore[arg-type]


class Reader(HTMLParser):
    """The commands of the page, and whether it asks anything of the network."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.commands: list[str] = []
        self.words = ""
        self.fetched: list[str] = []
        self._in_command = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag in {"script", "link", "img", "iframe", "object"}:
            self.fetched.append(tag)
        self._in_command |= tag == "pre"
        if tag == "pre":
            self.commands.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_command &= tag != "pre"

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._in_command:
            self.commands[-1] += data


def page(setup: ClientSetup = SETUP) -> Page:
    return Page(
        setup=setup,
        deb=Offer(path=f"deb/pool/main/acme/{setup.deb_file}", sha256="a3" * 32),
        rpm=Offer(path=f"rpm/packages/{setup.rpm_file}", sha256="b4" * 32),
        version="4.1.0-1",
    )


def test_the_page_says_what_to_run_and_needs_nothing_else():
    expires = replace(KEY, expires=datetime(2027, 5, 1, tzinfo=UTC))
    text = page_html(page(replace(SETUP, keys=(expires,))), own_templates())
    reader = Reader(text)
    assert reader.fetched == []
    assert "@import" not in text
    assert "url(" not in text
    assert "30EF 8CE4 E316 1785 1DCA  04F3 8F30 D93A E329 E6BD" in reader.words
    assert "valid until 2027-05-01" in reader.words
    assert "plain HTTP" not in reader.words
    assert "apt install acme-server=4.1.0-1" in reader.commands
    assert "dnf install acme-server-4.1.0-1" in reader.commands
    first = reader.commands[0].splitlines()
    assert first[1] == f"echo '{'a3' * 32}  acme-repository_7-1_all.deb' | sha256sum --check"


def test_the_page_as_text_is_a_script_whose_commands_are_those_of_the_page():
    text = page_text(page(), own_templates())
    subprocess.run(("sh", "-n"), input=text, text=True, check=True)
    commands = Reader(page_html(page(), own_templates())).commands
    for command in commands:
        assert f"\n{command}\n" in text
    rest = [line for line in text.splitlines() if line and not line.startswith("#")]
    written = [line for command in commands for line in command.splitlines() if line]
    assert rest == [line for line in written if not line.startswith("#")]


def test_files_written_by_hand_are_those_of_the_packages(built: tuple[Path, Path]):
    deb, rpm = built
    commands = Reader(page_html(page(), own_templates())).commands
    for content in (
        deb_file(deb, "/etc/apt/sources.list.d/acme.sources"),
        rpm_file(rpm, "/etc/yum.repos.d/acme.repo"),
    ):
        assert any(f"<<'END'\n{content.decode()}END" in command for command in commands)


def test_text_stays_text_on_the_page():
    hostile = replace(SETUP, summary="</title><script>alert(1)</script>{{ 7 * 7 }}")
    text = page_html(page(hostile), own_templates())
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "{{ 7 * 7 }}" in text


def test_a_page_over_http_tells_to_ask_elsewhere():
    text = page_html(page(replace(SETUP, url="http://a.example")), own_templates())
    assert "plain HTTP" in text


def test_a_format_that_is_not_offered_is_not_spoken_of():
    only = replace(page(), rpm=None, version=None)
    text = page_html(only, own_templates())
    assert "dnf" not in text
    assert "apt install acme-server<" in text
    assert "dnf" not in page_text(only, own_templates())
