"""Signatures inside rpms: made by one rpmsign, checked as a client that knows one key would."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.edge.process import Command, Processes
from toolchain.errors import ToolError

# rpm's own macros and none of the user's or the host's, whose signing commands aren't ours.
_MACROS = ("--macros", "/usr/lib/rpm/macros:/usr/lib/rpm/platform/%{_target}/macros")


def _quoted(text: str) -> str:
    """One word of a macro that rpm splits as a shell would; `%` is rpm's own escape.

    A definition loses its backslashes, so that a quote stands in quotes of the other kind.
    """
    return "'" + text.replace("%", "%%").replace("'", "'\"'\"'") + "'"


def rpmsign(
    paths: Sequence[Path], *, key: str, unlocking: Sequence[str], environment: Mapping[str, str]
) -> Command:
    """Describe the signing of rpms in place; nothing secret stands in the macros."""
    extra = ("--batch", "--no-tty", "--no-options", *unlocking)
    defines = {
        "__gpg": "/usr/bin/gpg",
        "_gpg_name": key,
        "_gpg_digest_algo": "sha512",
        "_gpg_sign_cmd_extra_args": " ".join(_quoted(each) for each in extra),
    }
    return Command(
        argv=(
            "rpmsign",
            *_MACROS,
            *(part for name, value in defines.items() for part in ("--define", f"{name} {value}")),
            "--resign",
            *(str(path.absolute()) for path in paths),
        ),
        environment=environment,
    )


def check_rpm_signatures(paths: Sequence[Path], public: bytes, processes: Processes) -> None:
    """Ask an rpm that knows this armored public key alone; raises ToolError on any doubt."""
    with tempfile.TemporaryDirectory(prefix="interlock-rpm-") as directory:
        database = ("--dbpath", directory)
        key = Path(directory) / "key.asc"
        key.write_bytes(public)
        processes.run(Command(argv=("rpmkeys", *_MACROS, *database, "--import", str(key))))
        level = ("--define", "_pkgverify_level all")
        done = processes.finish(
            Command(
                argv=(
                    "rpmkeys",
                    *_MACROS,
                    *database,
                    *level,
                    "--checksig",
                    *(str(path.absolute()) for path in paths),
                )
            )
        )
    if done.code != 0:
        bad = [line for line in done.text.splitlines() if "NOT OK" in line]
        raise ToolError(
            f"rpm does not accept the signature of {bad[0] if bad else 'a package'}",
            "sign with a key that this rpm can read, such as rsa4096",
            output=done.text + done.errors,
        )
