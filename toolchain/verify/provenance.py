"""One package against its statement and its bill of materials; pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from toolchain.edge.companions import Beside
from toolchain.model.carried import PackageFile
from toolchain.plan.attestation import (
    BUILD_TYPE,
    BUILDER,
    ENVELOPE,
    PAYLOAD_TYPE,
    STATEMENT,
    pre_authentication,
    published_form,
)
from toolchain.plan.materials import PRODUCT_FILE
from toolchain.verify.finding import Finding, Kind
from toolchain.verify.hostile_json import JsonError, shown
from toolchain.verify.law import release_of
from toolchain.verify.sbom import sbom_problems
from toolchain.verify.statement import Statement, read_envelope, read_statement

# Says whose key signed data; raises ValueError with the reason why nobody's did.
Judge = Callable[[bytes, bytes], str]
Digests = Callable[[str], str | None]

_PUBLISHED = "fetch it again from the repository, or publish it again"
_REBUILD = "build it again with interlock build"


@dataclass(slots=True, kw_only=True)
class Attested:
    """What is known of one package now; `signed_by` is a fingerprint, `inputs` a count."""

    file: PackageFile
    enveloped: bool = False
    signed_by: str | None = None
    inputs: int = 0
    statement: Statement | None = None
    findings: list[Finding] = field(default_factory=list)

    def find(self, kind: Kind, what: str, cure: str) -> None:
        """Note one thing that is wrong."""
        self.findings.append(Finding(kind=kind, files=(self.file.path,), what=what, cure=cure))


def attested(
    file: PackageFile, beside: Beside, judge: Judge | None, digests: Digests | None
) -> Attested:
    """Everything about one package.

    `judge` is the keyring, `digests` the product's directory; what isn't given isn't asked.
    """
    result = Attested(file=file, enveloped=beside.envelope is not None)
    for name, why in beside.unreadable:
        result.find(Kind.STATEMENT, f"{name} {why}", _REBUILD)
    statement = _statement(result, beside, judge)
    result.statement = statement
    if statement is not None:
        for kind, what, cure in (
            *_subject(file, statement),
            *_builder(statement),
            *_identity(file, statement),
            *_inputs(statement, digests),
        ):
            result.find(kind, what, cure)
        result.inputs = len(statement.inputs)
    for what in sbom_problems(file, beside.sbom, statement):
        result.find(Kind.SBOM, what, _REBUILD)
    return result


def _statement(result: Attested, beside: Beside, judge: Judge | None) -> Statement | None:
    name = result.file.file_name
    plain = _read(result, name + STATEMENT, beside.statement)
    if beside.envelope is None:
        if judge is not None:
            result.find(
                Kind.SIGNATURE,
                f"no signed statement lies beside it: {name}{ENVELOPE} is missing",
                "fetch it from the repository; a build's own statement is not signed",
            )
        if beside.statement is None and not beside.unreadable:
            result.find(
                Kind.STATEMENT,
                "no statement of provenance lies beside it",
                "take it from where it was built, or fetch the statement from the repository",
            )
        return plain
    try:
        envelope = read_envelope(beside.envelope)
    except JsonError as error:
        result.find(Kind.SIGNATURE, f"{name}{ENVELOPE} {error}", _PUBLISHED)
        return None
    if judge is not None:
        _judge(result, judge, envelope.payload, envelope.signatures)
    signed = _read(result, name + ENVELOPE, envelope.payload)
    if plain is not None and signed is not None and not _same(plain, signed, result.file):
        result.find(
            Kind.STATEMENT,
            f"{name}{STATEMENT} and {name}{ENVELOPE} say different things",
            "take the one away that is not of this package",
        )
    return signed


def _read(result: Attested, name: str, content: bytes | None) -> Statement | None:
    if content is None:
        return None
    try:
        return read_statement(content)
    except JsonError as error:
        result.find(Kind.STATEMENT, f"{name} {error}", _REBUILD)
        return None


def _judge(result: Attested, judge: Judge, payload: bytes, signatures: tuple[bytes, ...]) -> None:
    """One good signature is enough: while keys change over there are two."""
    said = pre_authentication(PAYLOAD_TYPE, payload)
    reasons = []
    for signature in signatures:
        try:
            result.signed_by = judge(said, signature)
        except ValueError as error:
            reasons.append(str(error))
        else:
            return
    result.find(
        Kind.SIGNATURE,
        f"the statement proves nothing: {reasons[0]}",
        f"{_PUBLISHED}, and see that the keyring is the publisher's",
    )


def _same(plain: Statement, signed: Statement, file: PackageFile) -> bool:
    """Whether one is the other, or the build's form of it."""
    return signed.document in (
        plain.document,
        published_form(plain.document, file.file_name, file.sha256),
    )


Problem = tuple[Kind, str, str]


def _subject(file: PackageFile, statement: Statement) -> Iterator[Problem]:
    subject = statement.subject
    if subject.sha256 != file.sha256:
        yield (
            Kind.SUBJECT,
            f"its statement is about other bytes: {subject.sha256[:12]}… and not "
            f"{file.sha256[:12]}…, which these have",
            "don't install it; fetch or build package and statement again",
        )
    elif subject.name != file.file_name:
        yield (
            Kind.SUBJECT,
            f"its statement is about a file called {shown(subject.name)}",
            "give the file that name again",
        )


def _builder(statement: Statement) -> Iterator[Problem]:
    for said, known in ((statement.builder, BUILDER), (statement.build_type, BUILD_TYPE)):
        if said != known:
            yield (
                Kind.BUILDER,
                f"was made by {shown(said)}, which is not known",
                "build it with Interlock, or ask who made it",
            )


def _identity(file: PackageFile, statement: Statement) -> Iterator[Problem]:
    release = release_of(file.version)
    pairs = (
        ("package name", statement.package, file.name),
        ("version", statement.package_version, file.version),
        ("architecture", statement.architecture, file.architecture),
        ("format", statement.format, file.format.value),
        ("release", statement.release, str(release)),
        ("product and role", f"{statement.product}-{statement.role}", file.name),
    )
    for what, said, is_ in pairs:
        if said != is_:
            yield (
                Kind.IDENTITY,
                f"the {what} is {shown(is_)}, and {shown(said)} by its statement",
                "fetch or build package and statement again",
            )


def _inputs(statement: Statement, digests: Digests | None) -> Iterator[Problem]:
    named = set()
    for each in statement.inputs:
        path = _path(each.name)
        if path is None:
            yield (
                Kind.INPUT,
                f"its statement names the input {shown(each.name)}, which is no path below a "
                "product",
                _REBUILD,
            )
            continue
        named.add(path)
        found = each.sha256 if digests is None else digests(path)
        if found != each.sha256:
            state = "is not there" if found is None else "has changed since"
            yield (
                Kind.INPUT,
                f"was made from {shown(path)}, which {state}",
                "name the product as it was then, for example its tag; or build the package again",
            )
    for path in sorted({PRODUCT_FILE, statement.spec} - named):
        yield Kind.INPUT, f"its statement lacks {shown(path)} among the inputs", _REBUILD


def _path(uri: str) -> str | None:
    """A relative address as a path; None where it is anything else, or leads upwards."""
    path = unquote(uri)
    if quote(path, safe="/") != uri or path != str(PurePosixPath(path)):
        return None
    parts = PurePosixPath(path).parts
    return path if parts and parts[0] != "/" and not {".", ".."} & set(parts) else None
