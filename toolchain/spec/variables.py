"""`${NAME}` in values: only variables that product.yaml declares, and a value stays a string."""

import re
from collections.abc import Mapping

from toolchain.spec.codes import Code
from toolchain.spec.document import Document
from toolchain.spec.located.node import Items, Node, Path, Scalar, Table
from toolchain.spec.located.text import SPEC_LIMIT, control_in
from toolchain.spec.problem import Complaint
from toolchain.spec.product import FILE_NAME
from toolchain.spec.wording import show

Variables = Mapping[str, str | None]

# `$${NAME}` is a literal `${NAME}`.
_REFERENCE = re.compile(r"(\$?)\$\{([^{}]*)\}")


def declared(product: Document, environment: Mapping[str, str]) -> Variables | None:
    """Every variable that the product declares, with its value; None when none can be known.

    A variable without a value has None for it. A default of the wrong shape counts as "": the
    check of the product's structure tells of it.
    """
    if not isinstance(product.root, Table):
        return None
    node = product.root.nodes.get("environment")
    if not isinstance(node, Table):
        return {}
    return {name: environment.get(name, _default(about)) for name, about in node.nodes.items()}


def _default(node: Node) -> str | None:
    if not isinstance(node, Table) or not node.has("default"):
        return None
    default = node.nodes["default"]
    return default.text if isinstance(default, Scalar) else ""


def expand(document: Document, variables: Variables | None) -> None:
    """Replace every reference in a document's values; keys, and the declarations, have none."""
    if document.root is not None:
        document.root = _Expansion(document, variables).of(document.root, ())


class _Expansion:
    def __init__(self, document: Document, variables: Variables | None) -> None:
        self._document = document
        self._variables = variables
        self._told: set[tuple[Path, str]] = set()
        # A long default that a value names ten thousand times would fill the memory.
        self._room = SPEC_LIMIT

    def of(self, node: Node, path: Path) -> Node:
        if path == ("environment",) and self._document.name == FILE_NAME:
            return node
        match node:
            case Scalar():
                return self._scalar(node, path) if "${" in node.text else node
            case Items():
                items = enumerate(node.nodes)
                return Items(tuple(self.of(item, (*path, at)) for at, item in items), node.mark)
            case Table():
                values = {key: self.of(value, (*path, key)) for key, value in node.nodes.items()}
                return Table(values, node.keys, node.mark)

    def _scalar(self, node: Scalar, path: Path) -> Scalar:
        if self._variables is None:
            self._document.doubt(path)
            return node
        text = _REFERENCE.sub(lambda match: self._value(match, path), node.text)
        return Scalar(text, plain=False, mark=node.mark)

    def _value(self, match: re.Match[str], path: Path) -> str:
        name = match[2]
        if match[1]:
            return f"${{{name}}}"
        variables = self._variables or {}
        value = variables.get(name, "")
        self._room -= len(value or "")
        if self._room < 0:
            name, value = "", ""
        if (path, name) in self._told:
            return value or ""
        self._told.add((path, name))
        complaint = _too_long() if self._room < 0 else _wrong(name, variables)
        if complaint is not None:
            self._document.complain(complaint, path)
        return value or ""


def _too_long() -> Complaint:
    return Complaint(
        Code.FILE_SIZE,
        "the values of variables make the file larger than any spec needs to be",
        "shorten the values, or name them less often",
    )


def _wrong(name: str, variables: Variables) -> Complaint | None:
    """What keeps a variable from being used."""
    if name not in variables:
        return Complaint(
            Code.UNKNOWN_VARIABLE,
            f"the variable {show(name)} is not declared",
            f"declare it under 'environment' in product.yaml, or write $${{{name[:60]}}} "
            "for the text itself",
        )
    value = variables[name]
    if value is None:
        return Complaint(
            Code.UNSET_VARIABLE,
            f"the variable {name} is not set and has no default",
            f"set {name} in the environment, or give it a default in product.yaml",
        )
    if (control := control_in(value)) is not None:
        return Complaint(
            Code.CONTROL_CHARACTER,
            f"the variable {name} holds the control character {control}",
            f"set {name} to plain text",
        )
    return None
