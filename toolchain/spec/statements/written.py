"""A file of statements taken apart: each with its comments, and its parameters as `$1`, `$2` ….

Drivers write parameters in several ways, and PostgreSQL's parser knows `$1` alone. So a file of
psycopg's style is rewritten character for character: a parameter is filled up with spaces, and
what PostgreSQL's parser complains about stands where the author sees it.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<quoted>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"
        |\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<number>\$[0-9]+)
    | %\((?P<name>[^()\n]*)\)[sbt]
    | (?P<place>%[sbt](?!\w))
    | (?P<percent>%%)
    | (?P<end>;)
    | [\w$]+
    | \S
    """,
    re.VERBOSE | re.DOTALL,
)


class MixedError(ValueError):
    """Two styles of parameters in one file; `index` is the first of the second style."""

    def __init__(self, index: int) -> None:
        super().__init__("two styles of parameters")
        self.index = index


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A line of comment above a statement, without its dashes, and where it begins."""

    text: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One statement as it is written, as PostgreSQL takes it, and where it begins.

    `names` are the parameters in the order of their numbers: a name, or the number itself.
    """

    text: str
    sql: str
    index: int
    names: tuple[str, ...]
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenApart:
    """The statements of a file, and the whole file as PostgreSQL's parser takes it."""

    sql: str
    statements: tuple[Written, ...]


def take_apart(text: str) -> TakenApart:
    """Take a file's text apart; raises MixedError."""
    tokens = list(_TOKEN.finditer(text))
    psycopg = _is_psycopg(tokens)
    sql = io.StringIO()
    spans = []
    here = 0
    for chunk in _chunks(tokens):
        names: list[str] = []
        comments: list[Comment] = []
        begin: int | None = None
        end = out_begin = out_end = 0
        for token in chunk:
            sql.write(text[here : token.start()])
            here = token.end()
            own = token["comment"] is None and token["end"] is None
            if begin is None and own:
                begin, out_begin = token.start(), sql.tell()
            elif begin is None and not own:
                comments.extend(_lines(token))
            sql.write(_rewritten(token, names) if psycopg else token[0])
            _number(token, names)
            if own:
                end, out_end = token.end(), sql.tell()
        if begin is not None:
            spans.append((begin, end, out_begin, out_end, tuple(names), tuple(comments)))
    sql.write(text[here:])
    whole = sql.getvalue()
    return TakenApart(
        sql=whole,
        statements=tuple(
            Written(
                text=text[begin:end],
                sql=whole[out_begin:out_end],
                index=begin,
                names=names_,
                comments=comments_,
            )
            for begin, end, out_begin, out_end, names_, comments_ in spans
        ),
    )


def _chunks(tokens: list[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    chunk: list[re.Match[str]] = []
    for token in tokens:
        chunk.append(token)
        if token["end"] is not None:
            yield chunk
            chunk = []
    yield chunk


def _is_psycopg(tokens: list[re.Match[str]]) -> bool:
    own = [t for t in tokens if t["name"] is not None or t["place"] is not None]
    numbers = [t for t in tokens if t["number"] is not None]
    if own and numbers:
        raise MixedError(max(own[0].start(), numbers[0].start()))
    return bool(own)


def _rewritten(token: re.Match[str], names: list[str]) -> str:
    if token["name"] is not None:
        if token["name"] not in names:
            names.append(token["name"])
        return f"${names.index(token['name']) + 1}".ljust(len(token[0]))
    if token["place"] is not None:
        names.append(str(len(names) + 1))
        return f"${len(names)}"
    if token["percent"] is not None:
        return "% "
    # psycopg reads '%%' as '%' in literals too.
    return token[0].replace("%%", "%") if token["quoted"] is not None else token[0]


def _number(token: re.Match[str], names: list[str]) -> None:
    """Make room for `$7` and all before it."""
    if token["number"] is not None:
        names.extend(str(n + 1) for n in range(len(names), min(int(token[0][1:]), 65535)))


def _lines(token: re.Match[str]) -> Iterator[Comment]:
    if token[0].startswith("--"):
        yield Comment(text=token[0].lstrip("-").strip(), index=token.start())
