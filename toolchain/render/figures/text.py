"""How wide a text may be in whatever font the reader has, so that a layout leaves room for it.

Widths are upper bounds: those of DejaVu Sans, the widest of the fonts that systems show by default,
in thousandths of the size.
"""

from unicodedata import combining, east_asian_width

SIZE, SMALL, TITLE = 13, 11, 17

_NARROW = dict.fromkeys("ijl'|", 340)
_SLIM = dict.fromkeys('fIrt .,:;!()[]/\\-"J', 470)
_WIDE = dict.fromkeys("mwMWQO@%&—→…+<>=~_#", 1040)
_WIDTHS = {**_NARROW, **_SLIM, **_WIDE}
_LETTER, _CAPITAL, _OTHER = 660, 800, 1100


def printable(text: str) -> str:
    """The text with a sign for each character that shows nothing or turns the line around."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def width_of(text: str, size: int = SIZE, *, bold: bool = False) -> int:
    """At the most so many CSS pixels, for a size in pixels."""
    total = sum(map(_thousandths, text))
    return -(-total * size * (115 if bold else 100) // 100_000)


def fitted(text: str, width: int, size: int = SIZE, *, bold: bool = False) -> str:
    """As much of the text as has room, with an ellipsis for the rest."""
    text = printable(text)
    if width_of(text, size, bold=bold) <= width:
        return text
    while text and width_of(f"{text}…", size, bold=bold) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def wrapped(text: str, width: int, size: int = SIZE) -> tuple[str, ...]:
    """Lines of that width at the most; a word that is longer is broken."""
    lines = [""]
    for word in printable(text).split(" "):
        rest = word
        longer = f"{lines[-1]} {rest}".strip()
        if width_of(longer, size) <= width:
            lines[-1] = longer
            continue
        lines.append("")
        for character in rest:
            if width_of(lines[-1] + character, size) > width:
                lines.append("")
            lines[-1] += character
    return tuple(line for line in lines if line)


def _thousandths(character: str) -> int:
    if character in _WIDTHS:
        return _WIDTHS[character]
    if combining(character):
        return 0
    if character.isascii():
        return _CAPITAL if character.isupper() else _LETTER
    return _OTHER if east_asian_width(character) in "WF" else 1000
