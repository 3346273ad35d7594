"""A command line of fpm, from a script or an options file; words are split, nothing is run."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from posixpath import basename, normpath

from toolchain.edge.package_files import deb_relations
from toolchain.errors import UsageError
from toolchain.importer.configurations.contents import copied, script_text
from toolchain.importer.configurations.variables import filled
from toolchain.importer.facts import Facts, Installed, Kind, Note
from toolchain.importer.texts import read_text, refuse
from toolchain.importer.versions import release_of
from toolchain.model.carried import Carried, Field

_CALL = re.compile(
    r"^[ \t]*(?:(?:bundle[ \t]+)?exec[ \t]+|sudo[ \t]+)?(?:\S*/)?fpm[ \t]+(.*)$", re.MULTILINE
)
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
    "--template-scripts", "--rpm-sign", "--deb-generate-changes", "--log",
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
    "--replaces",
})  # fmt: skip


def read_fpm(path: Path, values: Mapping[str, str]) -> Facts:
    """The package that fpm would make; raises UsageError."""
    words, line, further = _words(path, read_text(path, 1 << 20), values)
    options, arguments = _options(path, line, words)
    for key in ("--name", "--version"):
        if not options.get(key):
            raise refuse(str(path), line, f"fpm is given no {key}", f"write {key} VALUE")
    if (kind := (options.get("--input-type") or ["dir"])[-1]) != "dir":
        raise refuse(
            str(path), line, f"fpm's input {kind} is no directory", "import the finished packages"
        )
    description = " ".join(options.get("--description", ()))
    texts = {ours: options[key][-1] for key, ours in _TEXTS.items() if key in options}
    if description:
        texts["summary"] = description.strip().partition("\n")[0]
    base = path.parent
    version = options["--version"][-1]
    installed = tuple(_installed(base, options, arguments))
    units = {
        f"/usr/lib/systemd/system/{Path(name).name.removesuffix('.service')}.service": script_text(
            base, name
        )
        for name in options.get("--deb-systemd", ())
    }
    return Facts(
        where=str(path),
        base=str(base),
        name=options["--name"][-1],
        version=release_of(version, f"{path}:{line}"),
        full_version=version,
        architecture=(options.get("--architecture") or ["all"])[-1].replace("native", "amd64"),
        texts=texts,
        relations=tuple(_relations(path, line, options)),
        installed=installed,
        scripts={
            key[2:]: script_text(base, options[key][-1]) for key in sorted(_SCRIPTS & set(options))
        },
        units=units,
        notes=(
            *(
                Note(
                    text=f"{key} {' '.join(said)} was not taken",
                    where=f"{path}:{line}",
                    decide=True,
                )
                for key, said in sorted(options.items())
                if key not in _TAKEN | _FLAGS
            ),
            *(
                Note(
                    text="fpm is called again; import that from a file of its own",
                    where=f"{path}:{each}",
                    decide=True,
                )
                for each in further
            ),
        ),
    )


def _words(
    path: Path, text: str, values: Mapping[str, str]
) -> tuple[list[str], int, tuple[int, ...]]:
    """The words after `fpm` or of an options file, their line, and the lines of further calls."""
    joined = text.replace("\\\n", "  ")
    chosen, line, further = joined, 1, tuple[int, ...]()
    if path.suffix != ".fpm" and path.name != ".fpm":
        calls = list(_CALL.finditer(joined))
        if not calls:
            raise UsageError(
                f"{path} holds no command line of fpm",
                "name a script with one, an options file NAME.fpm, nfpm.yaml, a .spec or debian/",
            )
        # What was joined has the length of what it stands for.
        line, *more = (text.count("\n", 0, call.start()) + 1 for call in calls)
        further, chosen = tuple(more), calls[0][1]
        assigned = dict(
            re.findall(r"(?m)^\s*(?:export\s+)?([A-Za-z_]\w*)=[\"']?([\w.:/~+-]*)[\"']?\s*$", text)
        )
        values = {**assigned, **values}
    if "$(" in chosen or "`" in chosen:
        raise refuse(
            str(path),
            line,
            "the command line holds a command of the shell, which is not run",
            "write its result there",
        )
    try:
        words = shlex.split(chosen, comments=True)
    except ValueError as error:
        raise refuse(str(path), line, f"the command line is no whole: {error}", "mend it") from None
    if cut := next(
        (n for n, word in enumerate(words) if word in ("|", "&&", "||", ";", "&", ">")), 0
    ):
        words = words[:cut]
    return [filled(word, values, str(path), line) for word in words], line, further


def _options(path: Path, line: int, words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    options: dict[str, list[str]] = {}
    arguments: list[str] = []
    waiting = iter(words)
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
                    raise refuse(str(path), line, f"{key} has no value", "write one")
                value = found
            options.setdefault(key, []).append(value)
    return options, arguments


def _installed(
    base: Path, options: Mapping[str, list[str]], arguments: list[str]
) -> Iterator[Installed]:
    chdir = (options.get("--chdir") or [""])[-1].strip("/")
    prefix = (options.get("--prefix") or [""])[-1].strip("/")
    config = {"/" + name.strip("/") for name in options.get("--config-files", ())}
    for argument in arguments:
        source, equals, target = argument.partition("=")
        place = f"{chdir}/{source}" if chdir else source
        # As rsync does: a directory goes into its target, and with a slash behind only its content.
        if equals and not source.endswith("/") and (base / place).is_dir():
            target = f"{target}/{basename(source)}"
        slash = "/" if target.endswith("/") else ""
        target = "/" + normpath(f"{prefix}/{target or source}").lstrip("/") + slash
        for each in copied(Installed(path=target, source=place), base, tree=True):
            above = {each.path, *map(str, PurePosixPath(each.path).parents)}
            kind = Kind.CONFIG if config & above else Kind.FILE
            yield Installed(path=each.path, kind=kind, source=each.source)
    for name in options.get("--directories", ()):
        yield Installed(path="/" + name.strip("/"), kind=Kind.DIRECTORY)


def _relations(path: Path, line: int, options: Mapping[str, list[str]]) -> Iterator[Carried]:
    for key, field in _RELATIONS.items():
        for text in options.get(key, ()):
            # fpm takes Debian's form and a plain one: 'name >= 1'.
            plain = re.fullmatch(r"(\S+)\s+(<<|<=|=|>=|>>|<|>)\s*(\S+)", text.strip())
            spelled = f"{plain[1]} ({plain[2]} {plain[3]})" if plain else text
            try:
                yield from deb_relations(field, spelled)
            except ValueError:
                raise refuse(
                    str(path), line, f"{key} {text!r} is no relation", "write 'NAME >= VERSION'"
                ) from None
