"""Whether a list names the same thing twice."""

from collections.abc import Iterable

from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.located.node import Path
from toolchain.spec.problem import Complaint, Related
from toolchain.spec.wording import show


def check_duplicates(
    document: Document, named: Iterable[tuple[str, Path]], code: Code = Code.DUPLICATE_ITEM
) -> None:
    """Note each name that stood before, with both places."""
    first: dict[str, Path] = {}
    for name, path in named:
        if name not in first:
            first[name] = path
            continue
        place = document.place(first[name])
        apart = place.origin.line != document.place(path).origin.line
        where = f"stands here and on line {place.origin.line}" if apart else "stands here twice"
        document.complain(
            Complaint(code, f"{show(name)} {where}", "keep one of the two"),
            path,
            Related(origin=place.origin, message="the same name"),
        )
