"""The plain-Python view of a tree, in which unquoted values still know that they were unquoted."""

import re
from collections.abc import Callable

from toolchain.spec.located.node import Items, Node, Scalar

_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")


class Plain(str):
    """A value without quotes: a number, a truth value or nothing, if the format has one there."""

    __slots__ = ()


# Stands in a view for a part that needs no validation any more.
SOUND = object()


def view(node: Node, is_sound: Callable[[Node], bool] | None = None) -> object:
    """Dictionaries, lists and strings, as jsonschema wants them.

    With `is_sound`, items of lists that are known to be sound are left out: jsonschema takes
    50 µs for each, which counts where there are a hundred thousand.
    """
    if isinstance(node, Scalar):
        return Plain(node.text) if node.plain else node.text
    if isinstance(node, Items):
        if is_sound is None:
            return [view(item) for item in node.nodes]
        return [SOUND if is_sound(item) else view(item, is_sound) for item in node.nodes]
    return {key: view(value, is_sound) for key, value in node.nodes.items()}


def is_nothing(value: object) -> bool:
    """A key without a value; `null` and `~` are YAML's words for it."""
    return isinstance(value, Plain) and value in ("", "~", "null", "Null", "NULL")


def is_integer(value: object) -> bool:
    """A whole number in its one spelling, so that neither `0o17` nor `1_000` is one."""
    return isinstance(value, Plain) and _NUMBER.fullmatch(value) is not None


def is_boolean(value: object) -> bool:
    """`true` or `false`, and none of the other words that YAML 1.1 has for them."""
    return isinstance(value, Plain) and value in ("true", "false")


def is_string(value: object) -> bool:
    """Any value that is there at all, quoted or not."""
    return isinstance(value, str) and not is_nothing(value)
