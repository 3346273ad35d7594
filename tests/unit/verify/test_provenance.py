"""`interlock verify --provenance`: whatever is tampered with is found, and named."""

import base64
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Interlock
from tests.samples import write_product
from tests.signing import Keys, gpg_home
from tests.verify_samples import build, quiet, read, repack
from toolchain.edge.companions import digests_below, read_beside
from toolchain.edge.digests import sha256_of
from toolchain.edge.gpg import Signer, open_signer
from toolchain.edge.gpgv import open_keyring
from toolchain.edge.process import Processes
from toolchain.errors import UsageError
from toolchain.plan.attestation import json_lines, pre_authentication
from toolchain.publish.attest import companions, envelope
from toolchain.verify.finding import Finding, Kind
from toolchain.verify.hostile_json import JsonError, parse
from toolchain.verify.provenance import attested
from toolchain.verify.provenance_run import Origins, find_origins
from toolchain.verify.statement import read_statement

DEB = "demo-server_1.1.0-1_all.deb"
RPM = "demo-database-1.1.0-1.noarch.rpm"
SBOM, STATEMENT, ENVELOPE = ".cdx.json", ".provenance.json", ".intoto.jsonl"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product `demo`, and its packages in `dist`."""
    root = tmp_path_factory.mktemp("provenance")
    build(write_product(root / "demo"), root / "dist")
    return root


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with gpg_home() as opened:
        yield opened


@pytest.fixture(scope="module")
def signer(keys: Keys) -> Iterator[Signer]:
    made = keys.make("publisher", algorithm="rsa3072")
    with open_signer([made], processes=Processes(), environment=keys.environment) as opened:
        yield opened


@pytest.fixture(scope="module")
def keyring(place: Path, signer: Signer) -> Path:
    path = place / "publisher.gpg"
    path.write_bytes(signer.public(armored=False))
    return path


@pytest.fixture(scope="module")
def published(place: Path, signer: Signer) -> Path:
    """What a repository offers: signed rpms, bills of materials, signed statements."""
    pool = place / "pool"
    pool.mkdir()
    for package in (*place.glob("dist/*.deb"), *place.glob("dist/*.rpm")):
        copy = Path(shutil.copy(package, pool))
        if copy.suffix == ".rpm":
            signer.sign_rpms([copy])
        sbom, statement = companions(package, sha256_of(package))
        shutil.copy(sbom, pool)
        copy.with_name(copy.name + ENVELOPE).write_bytes(
            envelope(statement.read_bytes(), copy.name, sha256_of(copy), signer)
        )
    return pool


def origins(directory: Path, keyring: Path | None = None, product: Path | None = None) -> Origins:
    processes = Processes()
    digests = None if product is None else digests_below(product)
    if keyring is None:
        return find_origins(read(directory), None, digests, processes, quiet)
    with open_keyring(keyring, processes) as ring:
        return find_origins(read(directory), ring.signer, digests, processes, quiet)


def one(directory: Path, *arguments: Path | None) -> Finding:
    (finding,) = origins(directory, *arguments).findings
    assert finding.cure
    return finding


@pytest.fixture
def dist(place: Path, tmp_path: Path) -> Path:
    """One deb and one rpm as they were built."""
    return shelf(place / "dist", tmp_path / "dist", DEB, RPM)


@pytest.fixture
def pool(published: Path, tmp_path: Path) -> Path:
    """One deb and one rpm as they were published."""
    return shelf(published, tmp_path / "pool", DEB, RPM)


def shelf(source: Path, target: Path, *names: str) -> Path:
    target.mkdir()
    for name in names:
        for path in source.glob(f"{name}*"):
            shutil.copy(path, target)
    return target


def edit(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_bytes(json_lines(document))


def test_a_build_is_proved_and_said_to_be_unsigned(interlock: Interlock, place: Path):
    run = interlock("verify", "--provenance", place / "dist", "--product", place / "demo")
    assert (run.returncode, run.stdout) == (0, ""), run.stdout
    assert run.stderr.startswith("8 packages: statements and bills of materials agree with them; ")
    assert "inputs are those of " in run.stderr
    assert "no statement is signed" in run.stderr


def test_what_is_published_is_proved_with_the_key(
    interlock: Interlock, place: Path, published: Path, keyring: Path, signer: Signer
):
    run = interlock("verify", "--provenance", published, "--keyring", keyring, "--json")
    answer = json.loads(run.stdout)
    assert (run.returncode, answer["findings"]) == (0, [])
    assert {row["signed_by"] for row in answer["packages"]} == set(signer.fingerprints)
    assert all(row["enveloped"] and row["inputs"] for row in answer["packages"])
    unasked = interlock("verify", "--provenance", published)
    assert unasked.returncode == 0
    assert "signatures were not looked at" in unasked.stderr


def test_a_single_download_is_proved(interlock: Interlock, pool: Path, keyring: Path):
    """The solvers refuse a half alone; where it comes from can be asked of any file."""
    run = interlock("verify", "--provenance", "--keyring", keyring, pool / RPM)
    assert run.returncode == 0, run.stdout
    assert run.stderr.startswith("1 package: ")


def test_an_armored_keyring_of_several_keys_is_read(
    pool: Path, keys: Keys, signer: Signer, tmp_path: Path
):
    other = keys.make("bystander")
    armored = tmp_path / "both.asc"
    armored.write_bytes(keys.gpg("--armor", "--export", other) + signer.public(armored=True))
    assert origins(pool, armored).proved


def test_the_statement_of_a_signed_rpm_names_both_digests(place: Path, published: Path):
    signed = read_statement(payload(published / f"{RPM}{ENVELOPE}"))
    built = read_statement((place / f"dist/{RPM}{STATEMENT}").read_bytes())
    assert signed.subject.sha256 == read(published / RPM)[0].sha256
    assert signed.byproduct(RPM) == built.subject.sha256 != signed.subject.sha256
    deb = place / f"dist/{DEB}{STATEMENT}"
    assert payload(published / f"{DEB}{ENVELOPE}") == deb.read_bytes()


def payload(path: Path) -> bytes:
    return base64.b64decode(json.loads(path.read_text())["payload"])


def test_an_envelope_is_one_that_others_can_check(
    published: Path, keys: Keys, signer: Signer, tmp_path: Path
):
    """By the specification's own words, and with gpg itself."""
    document = json.loads((published / f"{DEB}{ENVELOPE}").read_text())
    assert document["payloadType"] == "application/vnd.in-toto+json"
    (signature,) = document["signatures"]
    assert signature["keyid"] == signer.fingerprints[0]
    body = base64.b64decode(document["payload"])
    said = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(body), body)
    (tmp_path / "sig").write_bytes(base64.b64decode(signature["sig"]))
    keys.gpg("--verify", str(tmp_path / "sig"), "-", stdin=said)


def test_the_signed_bytes_are_those_of_the_specification():
    """The example of DSSE's protocol."""
    said = pre_authentication("http://example.com/HelloWorld", b"hello world")
    assert said == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_tampered_package_bytes_are_found(dist: Path):
    deb = dist / DEB
    repack(deb, dist, lambda control: control.replace("Section: ", "X-Section: "))
    kinds = {finding.kind for finding in origins(dist).findings}
    assert kinds == {Kind.SUBJECT, Kind.SBOM}


def test_a_package_that_was_signed_anew_is_not_the_published_one(
    pool: Path, keys: Keys, keyring: Path
):
    stranger = keys.make("resigner", algorithm="rsa2048")
    with open_signer([stranger], processes=Processes(), environment=keys.environment) as other:
        other.sign_rpms([pool / RPM])
    assert one(pool, keyring).kind is Kind.SUBJECT


def test_a_changed_subject_breaks_the_signature(pool: Path, keyring: Path):
    path = pool / f"{DEB}{ENVELOPE}"
    document = json.loads(path.read_text())
    body = base64.b64decode(document["payload"])
    document["payload"] = base64.b64encode(body.replace(b"1.1.0-1_all", b"1.1.1-1_all")).decode()
    path.write_text(json.dumps(document) + "\n")
    findings = {finding.kind: finding for finding in origins(pool, keyring).findings}
    assert "its signature is broken" in findings[Kind.SIGNATURE].what
    assert Kind.SUBJECT in findings


def test_the_signature_of_another_key_is_found(
    place: Path, pool: Path, keys: Keys, keyring: Path, signer: Signer
):
    stranger = keys.make("stranger")
    with open_signer([stranger], processes=Processes(), environment=keys.environment) as other:
        statement = (place / f"dist/{DEB}{STATEMENT}").read_bytes()
        made = json.loads(envelope(statement, DEB, sha256_of(pool / DEB), other))
    # A key's name in the envelope is nothing but a hint.
    made["signatures"][0]["keyid"] = signer.fingerprints[0]
    (pool / f"{DEB}{ENVELOPE}").write_text(json.dumps(made) + "\n")
    finding = one(pool, keyring)
    assert finding.kind is Kind.SIGNATURE
    assert "another key than the keyring's" in finding.what


def test_the_signature_of_a_key_that_expired_is_found(
    place: Path, pool: Path, keys: Keys, tmp_path: Path
):
    made = keys.make("short-lived", expires="1y")
    with open_signer([made], processes=Processes(), environment=keys.environment) as ending:
        statement = (place / f"dist/{DEB}{STATEMENT}").read_bytes()
        (pool / f"{DEB}{ENVELOPE}").write_bytes(
            envelope(statement, DEB, sha256_of(pool / DEB), ending)
        )
    for path in pool.glob(f"{RPM}*"):
        path.unlink()
    ring = tmp_path / "short-lived.gpg"
    ring.write_bytes(keys.public(made))
    assert origins(pool, ring).proved
    keys.gpg("--quick-set-expire", made, "seconds=1")
    ring.write_bytes(keys.public(made))
    deadline = time.monotonic() + 30
    while origins(pool, ring).proved and time.monotonic() < deadline:
        time.sleep(0.2)
    assert "expired" in one(pool, ring).what


def test_one_good_signature_of_two_is_enough(
    place: Path, pool: Path, keys: Keys, keyring: Path, signer: Signer
):
    """While keys change over, a statement may carry those of both."""
    path = pool / f"{DEB}{ENVELOPE}"
    document = json.loads(path.read_text())
    with open_signer(
        [keys.make("successor")], processes=Processes(), environment=keys.environment
    ) as other:
        statement = (place / f"dist/{DEB}{STATEMENT}").read_bytes()
        second = json.loads(envelope(statement, DEB, sha256_of(pool / DEB), other))["signatures"]
    document["signatures"] = [*second, *document["signatures"]]
    path.write_text(json.dumps(document) + "\n")
    assert origins(pool, keyring).proved


def test_an_unsigned_statement_proves_nothing_where_a_key_is_named(dist: Path, keyring: Path):
    findings = origins(dist, keyring).findings
    assert [finding.kind for finding in findings] == [Kind.SIGNATURE] * 2
    assert "is missing" in findings[0].what


def test_a_statement_beside_the_signed_one_must_say_the_same(
    place: Path, pool: Path, keyring: Path
):
    for name in (DEB, RPM):
        shutil.copy(place / f"dist/{name}{STATEMENT}", pool)
    assert origins(pool, keyring).proved
    edit(
        pool / f"{DEB}{STATEMENT}",
        lambda document: document["subject"][0].update(name="other.deb"),
    )
    finding = one(pool, keyring)
    assert finding.kind is Kind.STATEMENT
    assert "say different things" in finding.what


def test_swapped_companions_are_found(dist: Path, place: Path):
    """Those of the release before, and those of the other half."""
    for ending in (SBOM, STATEMENT):
        shutil.copy(place / f"dist/demo-server_1.0.0-1_all.deb{ending}", dist / f"{DEB}{ending}")
        shutil.copy(place / f"dist/demo-server-1.1.0-1.noarch.rpm{ending}", dist / f"{RPM}{ending}")
    found = origins(dist).findings
    of_deb = {finding.kind for finding in found if finding.files[0].endswith(DEB)}
    of_rpm = {finding.kind for finding in found if finding.files[0].endswith(RPM)}
    assert of_deb == of_rpm == {Kind.SUBJECT, Kind.IDENTITY, Kind.SBOM}
    assert any("the version is 1.1.0-1, and 1.0.0-1 by its statement" in one.what for one in found)


@pytest.mark.parametrize(("ending", "kinds"), [(SBOM, {Kind.SBOM}), (STATEMENT, {Kind.STATEMENT})])
def test_missing_companions_are_found(dist: Path, ending: str, kinds: set[Kind]):
    (dist / f"{DEB}{ending}").unlink()
    assert {finding.kind for finding in origins(dist).findings} == kinds


def test_a_changed_bill_of_materials_is_found(pool: Path, keyring: Path):
    """Its own hash is right: what the signed statement says of it is not."""
    path = pool / f"{DEB}{SBOM}"
    path.write_text(path.read_text().replace("/usr/bin/demo-web", "/usr/bin/other"))
    finding = one(pool, keyring)
    assert finding.kind is Kind.SBOM
    assert "is not the one that its statement names" in finding.what


@pytest.fixture
def product(place: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(place / "demo", tmp_path / "demo"))


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("payload/lib/module.py", {DEB}),
        ("sql/table-0.sql", {RPM}),
        ("product.yaml", {DEB, RPM}),
        ("1.0.0.yaml", {DEB, RPM}),
    ],
)
@pytest.mark.parametrize("how", ["changed", "gone", "leads out"])
def test_an_input_that_differs_is_named(
    dist: Path, product: Path, path: str, files: set[str], how: str
):
    assert origins(dist, None, product).proved
    input_ = product / path
    if how == "changed":
        input_.write_text(input_.read_text() + "# later\n")
    else:
        content = input_.read_text()
        input_.unlink()
        if how == "leads out":
            (product.parent / "outside").write_text(content)
            input_.symlink_to(product.parent / "outside")
    found = origins(dist, None, product).findings
    assert {finding.kind for finding in found} == {Kind.INPUT}
    assert {Path(finding.files[0]).name for finding in found} == files
    said = "has changed since" if how == "changed" else "is not there"
    assert all(f"was made from {path}, which {said}" in finding.what for finding in found)


def test_a_later_release_is_no_other_input(dist: Path, product: Path):
    (product / "1.2.0.yaml").write_text("anything\n")
    assert origins(dist, None, product).proved


@pytest.mark.parametrize(
    "uri", ["/etc/passwd", "../secret", "payload/../../secret", "%2Fetc%2Fpasswd", "file:///x", ""]
)
def test_an_address_that_leads_elsewhere_is_never_followed(
    dist: Path, product: Path, monkeypatch: pytest.MonkeyPatch, uri: str
):
    def change(document: Any) -> None:
        rows = document["predicate"]["buildDefinition"]["resolvedDependencies"]
        rows.append({"uri": uri, "digest": {"sha256": "0" * 64}})

    edit(dist / f"{DEB}{STATEMENT}", change)
    finding = one(dist, None, product)
    assert finding.kind is Kind.INPUT
    assert "no path below a product" in finding.what


def test_a_statement_without_its_specs_is_found(dist: Path):
    def change(document: Any) -> None:
        definition = document["predicate"]["buildDefinition"]
        definition["resolvedDependencies"] = definition["resolvedDependencies"][-1:]

    edit(dist / f"{DEB}{STATEMENT}", change)
    found = {finding.what for finding in origins(dist).findings}
    assert found == {
        f"its statement lacks {path} among the inputs" for path in ("1.1.0.yaml", "product.yaml")
    }


def test_an_unknown_builder_is_found(dist: Path):
    def change(document: Any) -> None:
        document["predicate"]["runDetails"]["builder"]["id"] = "https://example.com/\x1b[2J\n"

    edit(dist / f"{DEB}{STATEMENT}", change)
    finding = one(dist)
    assert finding.kind is Kind.BUILDER
    assert str(finding).isprintable()


@pytest.mark.parametrize("key", ["product", "release", "role", "format", "architecture"])
def test_names_that_are_not_the_packages_are_found(dist: Path, key: str):
    def change(document: Any) -> None:
        document["predicate"]["buildDefinition"]["externalParameters"][key] = "other"

    edit(dist / f"{DEB}{STATEMENT}", change)
    assert one(dist).kind is Kind.IDENTITY


HOSTILE = {
    "empty": b"",
    "no JSON": b"{",
    "deep": b"[" * 100_000,
    "deep and whole": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "a long number": b'{"_type": ' + b"9" * 5000 + b"}",
    "infinite": b'{"_type": Infinity}',
    "another encoding": '{"_type": "ü"}'.encode("utf-16"),
    "twice": b'{"_type": 1, "_type": 2}',
    "a list": b"[]",
    "a text": b'"text"',
    "null": b"null",
    "surrogates": b'{"_type": "\\ud800"}',
    "escapes": b'{"_type": "\\u001b[31m\\n"}',
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("ending", [SBOM, STATEMENT, ENVELOPE])
def test_hostile_documents_are_findings(dist: Path, keyring: Path, content: bytes, ending: str):
    (dist / f"{DEB}{ending}").write_bytes(content)
    found = [one for one in origins(dist, keyring).findings if one.files[0].endswith(DEB)]
    assert found
    for finding in found:
        assert str(finding).isprintable()
        assert len(str(finding)) < 1000
        str(finding).encode()


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, lists by their first item."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_of(item, (*path, key))
    elif isinstance(value, list) and value:
        yield from paths_of(value[0], (*path, 0))


def replaced(document: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = dict(document) if isinstance(document, dict) else list(document)
    copied[path[0]] = replaced(document[path[0]], path[1:], new)
    return copied


@pytest.mark.parametrize("document", ["sbom", "statement"])
def test_a_wrong_type_anywhere_is_no_traceback(dist: Path, document: str):
    (file,) = read(dist / DEB)
    beside = read_beside(dist / DEB)
    whole = json.loads(getattr(beside, document))
    for where in paths_of(whole):
        for new in (None, True, -1, 1.5, "", "x", [], [[]], {}, {"": None}):
            content = json.dumps(replaced(whole, where, new)).encode()
            changed = replace(beside, **{document: content})
            for finding in attested(file, changed, None, None).findings:
                assert str(finding).isprintable()


@pytest.mark.parametrize(
    "where",
    [
        (),
        ("payload",),
        ("payloadType",),
        ("signatures",),
        ("signatures", 0),
        ("signatures", 0, "sig"),
    ],
)
def test_a_wrong_type_in_an_envelope_is_no_traceback(
    pool: Path, keyring: Path, where: tuple[Any, ...]
):
    path = pool / f"{DEB}{ENVELOPE}"
    whole = json.loads(path.read_text())
    for new in (None, 1, "", "x", "ü", "AAAA", [], [[]], {}):
        path.write_text(json.dumps(replaced(whole, where, new)))
        assert {finding.kind for finding in origins(pool, keyring).findings} <= {
            Kind.SIGNATURE,
            Kind.STATEMENT,
            Kind.SBOM,
        }
        assert not origins(pool, keyring).proved


def test_what_is_no_regular_file_is_not_waited_for(dist: Path):
    path = dist / f"{DEB}{STATEMENT}"
    path.unlink()
    os.mkfifo(path)
    assert "is no regular file" in one(dist).what


def test_what_is_too_large_is_not_read(dist: Path):
    with (dist / f"{DEB}{STATEMENT}").open("ab") as file:
        file.truncate((64 << 20) + 1)
    assert "is larger than 64 MiB" in one(dist).what


def test_json_that_two_readers_would_read_in_two_ways_is_refused():
    with pytest.raises(JsonError, match="has the key b twice"):
        parse(b'{"a": {"b": 1, "b": 2}}')


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\x00" * 40,
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n=\n-----END PGP PUBLIC KEY BLOCK-----\n",
    ],
)
def test_a_keyring_without_keys_is_one_sentence(tmp_path: Path, content: bytes):
    path = tmp_path / "keyring"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="holds no public key"), open_keyring(path, Processes()):
        pass


def test_findings_are_told_with_file_and_cure(interlock: Interlock, dist: Path):
    (dist / f"{DEB}{SBOM}").unlink()
    run = interlock("verify", "--provenance", dist)
    assert run.returncode == 1
    (line,) = run.stdout.splitlines()
    assert line.startswith(f"sbom: {dist / DEB}: no bill of materials lies beside it: ")
    assert line.endswith("; build it again with interlock build")
    answer = json.loads(interlock("verify", "--provenance", dist, "--json").stdout)
    assert answer["proved"] is False
    assert [finding["sentence"] for finding in answer["findings"]] == [line]


def test_the_set_up_package_comes_from_no_build(dist: Path, place: Path):
    from tests.verify_samples import plain_deb

    plain_deb(dist, "demo-repository", "1")
    answer = origins(dist)
    assert answer.proved
    assert [file.name for file in answer.own] == ["demo-repository"]
    plain_deb(dist, "other-repository", "1")
    assert not origins(dist).proved


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--keyring", "KEYRING"), "add --provenance"),
        (("--provenance", "--witness", "apt"), "--witness is for solvers"),
        (("--provenance", "--no-transitions"), "--transitions is for solvers"),
    ],
)
def test_options_that_do_not_go_together_are_one_sentence(
    interlock: Interlock, dist: Path, keyring: Path, options: tuple[str, ...], words: str
):
    named = (str(keyring) if option == "KEYRING" else option for option in options)
    run = interlock("verify", dist, *named)
    assert run.returncode == 2
    assert words in run.stderr
    assert len(run.stderr.splitlines()) == 1
