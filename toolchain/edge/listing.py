"""What lies below a payload source: names, kinds, the executable bit and binaries' machines."""

import os
import stat
from pathlib import Path

from toolchain.errors import SpecError
from toolchain.plan.entry import Listed

# e_machine of ELF (System V ABI, gABI chapter 4), by Debian's names.
_MACHINES = {62: "amd64", 183: "arm64", 3: "i386", 40: "armhf", 243: "riscv64", 21: "ppc64el"}


def _machine(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(20)
    if len(head) < 20 or not head.startswith(b"\x7fELF"):
        return None
    order = "little" if head[5] == 1 else "big"
    number = int.from_bytes(head[18:20], order)  # type: ignore[arg-type]
    return _MACHINES.get(number, f"ELF machine {number}")


def _listed(path: Path, relative: str) -> Listed:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return Listed(path=relative, link=str(path.readlink()))
    if stat.S_ISDIR(status.st_mode):
        return Listed(path=relative, is_directory=True)
    if not stat.S_ISREG(status.st_mode):
        raise SpecError(f"{path} is neither a file, a link nor a directory", "take it out")
    return Listed(
        path=relative,
        executable=bool(status.st_mode & stat.S_IXUSR),
        machine=_machine(path),
    )


def list_payload(root: Path) -> tuple[Listed, ...]:
    """The source itself (path empty) and all below it, sorted; links are not followed below.

    Raises SpecError on a missing source and on devices, sockets and pipes.
    """
    try:
        top = _listed(root.resolve(strict=True), "")
        found = [top]
        if top.is_directory:
            for folder, names, files in os.walk(root):
                links = [name for name in names if Path(folder, name).is_symlink()]
                for name in (*names, *files):
                    path = Path(folder, name)
                    found.append(_listed(path, str(path.relative_to(root))))
                names[:] = [name for name in names if name not in links]
    except FileNotFoundError as error:
        raise SpecError(f"{error.filename} does not exist", "build it, or mend `source`") from error
    return tuple(sorted(found, key=lambda item: item.path))
