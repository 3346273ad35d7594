"""Verifying what is new finds what verifying everything finds, where it concerns what is new."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.verify_samples import quiet, release, with_relations
from toolchain.errors import UsageError
from toolchain.model.carried import Carried, Field, PackageFile
from toolchain.model.law import ServerHandshake, ShardHandshake
from toolchain.model.release import Format
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.verify.finding import Finding, Kind
from toolchain.verify.run import Verifier

Files = tuple[PackageFile, ...]


@st.composite
def releases(draw: st.DrawFn) -> Files:
    """A few releases whose windows reach back, some with a ceiling."""
    format_ = draw(st.sampled_from(Format))
    count, schema = draw(st.integers(2, 4)), 1
    versions = [Version(1, at, 0) for at in range(count + 2)]
    files: list[PackageFile] = []
    for at in range(count):
        schema += draw(st.integers(0, 1))
        oldest, accepted = draw(st.integers(0, at)), draw(st.integers(0, at))
        ceiling = draw(st.none() | st.integers(at + 1, count + 1))
        server = ServerHandshake(
            version=versions[at],
            schemas=Window(
                max(1, schema - draw(st.integers(0, 2))), draw(st.sampled_from([None, schema + 1]))
            ),
            peers=Window(versions[oldest]),
        )
        servers = Window(versions[accepted], None if ceiling is None else versions[ceiling])
        files += release(format_, server, ShardHandshake(schema=schema, servers=servers))
    return tuple(files)


@st.composite
def tampered(draw: st.DrawFn, file: PackageFile) -> PackageFile:
    """The package with one thing wrong."""
    at = draw(st.integers(0, len(file.relations) - 1))
    relation = file.relations[at]
    (clause,) = relation.clauses
    match draw(st.sampled_from(["drop", "bare", "field", "version", "protection", "epoch"])):
        case "drop":
            changed: tuple[Carried, ...] = ()
        case "bare":
            changed = (replace(relation, clauses=(replace(clause, operator=None, version=None),)),)
        case "field":
            needs = Field.DEPENDS if file.format is Format.DEB else Field.REQUIRES
            changed = (replace(relation, field=draw(st.sampled_from([needs, Field.CONFLICTS]))),)
        case "version":
            version = draw(st.sampled_from(["0", "2", "3", "1.1.0", "99"]))
            changed = (replace(relation, clauses=(replace(clause, version=version),)),)
        case "protection":
            return replace(file, protected=False)
        case _:
            return replace(file, version=f"1:{file.version}")
    return with_relations(file, (*file.relations[:at], *changed, *file.relations[at + 1 :]))


def keys(files: Sequence[PackageFile], only: Iterable[str] | None = None) -> set[Finding]:
    """What is found, without who saw it and which commands led there."""
    chosen = None if only is None else frozenset(only)
    try:
        answer = Verifier(witnesses=(), report=quiet, only=chosen).verify(files)
    except UsageError:
        return set()
    return {replace(one, asked=(), commands=(), relation="", cure="") for one in answer.findings}


@settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
@given(data=st.data())
def test_what_is_new_is_judged_as_in_the_whole(data: st.DataObject):
    files = data.draw(releases())
    files = tuple(
        data.draw(tampered(file)) if data.draw(st.integers(0, 3)) == 0 else file for file in files
    )
    new = data.draw(st.lists(st.sampled_from(files), min_size=1, max_size=3, unique=True))
    added = {file.sha256 for file in new}
    whole, found = keys(files), keys(files, added)
    assert found <= whole
    paths = {file.path for file in new}
    assert {one for one in whole if paths & set(one.files)} <= found
    before = keys([file for file in files if file.sha256 not in added])
    added_findings = whole - before
    assert {one for one in added_findings if one.kind is not Kind.TRANSITION} <= found
    # A command for something old that ends beside something new is told as that pair.
    assert found or not added_findings
