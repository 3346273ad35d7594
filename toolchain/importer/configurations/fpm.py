"""The packages that calls of fpm would make, from a script, a Makefile or an options file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from posixpath import basename, normpath

from toolchain.edge.package_files import deb_relations
from toolchain.errors import UsageError
from toolchain.importer.configurations.contents import copied, script_text, unit_texts
from toolchain.importer.configurations.fpm_calls import Call, calls_of
from toolchain.importer.facts import Facts, Installed, Kind, Note
from toolchain.importer.versions import release_of
from toolchain.model.carried import Carried, Field
from toolchain.model.release import Format

_SHORT = {
    "-n": "--name", "-v": "--version", "-a": "--architecture", "-m": "--maintainer",
    "-d": "--depends", "-s": "--input-type", "-t": "--output-type", "-C": "--chdir",
    "-p": "--package", "-x": "--exclude",
}  # fmt: skip
# Options that stand alone; all others take a value.
_FLAGS = frozenset({
    "-f", "--force", "--verbose", "--debug", "--no-depends", "--no-auto-depends", "-e", "--edit",
    "--deb-no-default-config-files", "--deb-use-file-permissions", "--rpm-use-file-permissions",
    "--rpm-auto-add-directories", "--deb-systemd-enable", "--deb-systemd-auto-start",
    "--deb-systemd-restart-after-upgrade", "--no-deb-systemd-restart-after-upgrade",
    "--template-scripts", "--rpm-sign", "--deb-generate-changes", "--deb-auto-config-files",
    "--rpm-autoreq", "--rpm-autoprov", "--rpm-autoreqprov", "--rpm-macro-expansion",
    "--rpm-verbatim-version", "--rpm-ignore-iteration-in-dependencies",
    "--deb-ignore-iteration-in-dependencies",
})  # fmt: skip
_TEXTS = {
    "--maintainer": "maintainer", "--url": "homepage", "--license": "licence",
    "--description": "description",
}  # fmt: skip
_RELATIONS = {
    "--depends": Field.DEPENDS, "--conflicts": Field.CONFLICTS,
    "--deb-pre-depends": Field.PRE_DEPENDS,
}  # fmt: skip
_SCRIPTS = frozenset({
    "--before-install", "--after-install", "--before-remove", "--after-remove", "--before-upgrade",
    "--after-upgrade", "--pre-install", "--post-install", "--pre-uninstall", "--post-uninstall",
})  # fmt: skip
_TAKEN = frozenset({
    *_TEXTS, *_RELATIONS, *_SCRIPTS, "--name", "--version", "--architecture", "--input-type",
    "--output-type", "--chdir", "--package", "--config-files", "--directories", "--deb-systemd",
    "--prefix", "--iteration", "--epoch", "--category", "--vendor", "--log", "--provides",
    "--replaces", "--workdir", "--deb-priority", "--deb-compression", "--rpm-compression",
    "--rpm-os", "--rpm-digest", "--deb-dist", "--rpm-dist", "--rpm-summary",
})  # fmt: skip


_FORMATS = {each.value: each for each in Format}


def read_fpm(path: Path, values: Mapping[str, str]) -> tuple[Facts, ...]:
    """The packages that fpm would make; raises UsageError where that is none."""
    found: list[Facts] = []
    refused: list[tuple[Call, UsageError]] = []
    for call in calls_of(path, values):
        try:
            found.append(_facts(call))
        except UsageError as error:
            refused.append((call, error))
    if not found:
        raise refused[0][1]
    lost = (
        Note(text=f"a call that was not taken: {each.message}", where=call.where, decide=True)
        for call, each in refused
    )
    found[0] = replace(found[0], notes=(*found[0].notes, *lost))
    # One format alone says nothing against the other: Interlock makes both from one spec.
    both = len({each.format for each in found if each.format is not None}) > 1
    return tuple(found if both else (replace(each, format=None) for each in found))


def _facts(call: Call) -> Facts:
    """The package of one call; raises UsageError."""
    options, arguments = _options(call)
    name, version = _required(call, options, "name"), _required(call, options, "version")
    if (kind := _last(call, options, "--input-type") or "dir") != "dir":
        raise call.refused(f"fpm's input {kind} is no directory", "import the finished packages")
    texts = {ours: _last(call, options, key) for key, ours in _TEXTS.items() if key in options}
    summary = _last(call, options, "--rpm-summary") or texts.get("description", "")
    if summary:
        texts["summary"] = summary.strip().partition("\n")[0]
    base = call.path.parent
    chdir = _last(call, options, "--chdir").strip("/")
    named = [f"{chdir}/{each}" if chdir else each for each in map(call.filled, arguments)]
    # Without its slash it may be a file that is built later; a directory's content is not known.
    unbuilt = [
        each
        for each in named
        if (source := each.partition("=")[0]).endswith("/") and not (base / source).is_dir()
    ]
    sources = [each for each in named if each not in unbuilt]
    installed = tuple(_installed(call, options, sources, below=chdir))
    units = {each.path: each.source for each in installed if each.path.endswith(".service")}
    for each in map(call.filled, options.get("--deb-systemd", ())):
        units[f"/usr/lib/systemd/system/{Path(each).name.removesuffix('.service')}.service"] = each
        if not (base / each).is_file():
            unbuilt.append(each)
    return Facts(
        where=str(call.path),
        base=str(base),
        name=name,
        version=release_of(version, call.where),
        full_version=version,
        format=_FORMATS.get((options.get("--output-type") or [""])[-1]),
        architecture=(_last(call, options, "--architecture") or "all").replace("native", "amd64"),
        texts=texts,
        relations=tuple(_relations(call, options)),
        installed=installed,
        scripts={
            key[2:]: script_text(base, _last(call, options, key))
            for key in sorted(_SCRIPTS & set(options))
        },
        units=unit_texts(base, units),
        notes=(
            *(
                Note(text=f"{key} {' '.join(said)} was not taken", where=call.where, decide=True)
                for key, said in sorted(options.items())
                if key not in _TAKEN | _FLAGS
            ),
            *(
                Note(
                    text=f"{each} is not there, so nothing of it was taken: build it first",
                    where=call.where,
                    decide=True,
                )
                for each in unbuilt
            ),
        ),
    )


def _required(call: Call, options: Mapping[str, Sequence[str]], key: str) -> str:
    """What --define says of a name or version, before what the call says."""
    if key in call.given:
        return call.given[key]
    said = options.get(f"--{key}", ("",))[-1]
    if not said or not call.tells(said):
        what = f"--{key} is what a command prints, which is not run" if said else ""
        raise call.refused(what or f"fpm is given no --{key}", f"give it: --define {key}=VALUE")
    return call.filled(said)


def _last(call: Call, options: Mapping[str, Sequence[str]], key: str) -> str:
    """The value of an option that counts, as it would be at a run; empty without the option."""
    return call.filled(options[key][-1]) if options.get(key) else ""


def _options(call: Call) -> tuple[dict[str, list[str]], list[str]]:
    options: dict[str, list[str]] = {}
    arguments: list[str] = []
    waiting = iter(call.words)
    for word in waiting:
        if word == "--":
            arguments.extend(waiting)
        elif not word.startswith("-") or word == "-":
            arguments.append(word)
        else:
            key, equals, value = word.partition("=")
            if not key.startswith("--") and len(key) > 2:
                key, equals, value = key[:2], "=", key[2:] + equals + value
            key = _SHORT.get(key, key)
            if key in _FLAGS or key.startswith("--no-"):
                continue
            if not equals:
                found = next(waiting, None)
                if found is None:
                    raise call.refused(f"{key} has no value", "write one")
                value = found
            options.setdefault(key, []).append(value)
    return options, arguments


def _installed(
    call: Call, options: Mapping[str, list[str]], sources: list[str], *, below: str
) -> Iterator[Installed]:
    """What `sources` install; a path without a target goes where it lies below a directory."""
    base = call.path.parent
    prefix = _last(call, options, "--prefix").strip("/")
    config = {"/" + call.filled(name).strip("/") for name in options.get("--config-files", ())}
    for each_source in sources:
        place, equals, target = each_source.partition("=")
        source = place.removeprefix(f"{below}/") if below else place
        # As rsync does: a directory goes into its target, and with a slash behind only its content.
        if equals and not source.endswith("/") and (base / place).is_dir():
            target = f"{target}/{basename(source)}"
        slash = "/" if target.endswith("/") else ""
        target = "/" + normpath(f"{prefix}/{target or source}").lstrip("/") + slash
        for each in copied(Installed(path=target, source=place), base, tree=True):
            above = {each.path, *map(str, PurePosixPath(each.path).parents)}
            kind = Kind.CONFIG if config & above else Kind.FILE
            yield Installed(path=each.path, kind=kind, source=each.source)
    for name in map(call.filled, options.get("--directories", ())):
        yield Installed(path="/" + name.strip("/"), kind=Kind.DIRECTORY)


def _relations(call: Call, options: Mapping[str, list[str]]) -> Iterator[Carried]:
    for key, field in _RELATIONS.items():
        for text in map(call.filled, options.get(key, ())):
            # fpm takes Debian's form and a plain one: 'name >= 1'.
            plain = re.fullmatch(r"(\S+)\s+(<<|<=|=|>=|>>|<|>)\s*(\S+)", text.strip())
            spelled = f"{plain[1]} ({plain[2]} {plain[3]})" if plain else text
            try:
                yield from deb_relations(field, spelled)
            except ValueError:
                raise call.refused(
                    f"{key} {text!r} is no relation", "write 'NAME >= VERSION'"
                ) from None
