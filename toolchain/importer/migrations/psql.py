r"""What psql does to a script before PostgreSQL sees it: variables, and files that \ir includes.

Nothing else of psql is done; its other commands stay where they are, for the SQL parser to find.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from toolchain.importer.texts import inside, read_text, refuse

_INCLUDE = re.compile(r"^\\(ir?|include|include_relative)[ \t]+'?([^\s']+)'?[ \t]*$", re.MULTILINE)
_SET = re.compile(r"^\\set[ \t]+(\w+)[ \t]+'?([^\s']+)'?[ \t]*$", re.MULTILINE)
_DEEPEST = 5

# psql looks for variables outside of what is quoted, of comments and of casts (psql's manual,
# "SQL Interpolation"); the quoted kinds come first, so that nothing in them is found. What is not
# closed reaches to the end, so that no text is looked through twice.
_TOKEN = re.compile(
    r"""--[^\n]* | /\*.*?(?:\*/|\Z)
    | \$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
    | [eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) | :(?P<quote>['"])(?P<quoted>\w+)(?P=quote)
    | '(?:[^']|'')*(?:'|\Z) | "(?:[^"]|"")*(?:"|\Z)
    | :: | (?<![\w\[]):(?P<plain>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)


def psql_text(path: Path, top: Path, values: Mapping[str, str]) -> str:
    r"""A script with its variables' values; raises UsageError for one that is quoted and unknown.

    `top` is the directory that psql runs in, from which \i begins; what leads out of it is refused.
    """
    text = _included(path, top, _DEEPEST)
    known = {**dict(_SET.findall(text)), **values}

    def value(match: re.Match[str]) -> str:
        name = match["quoted"] or match["plain"]
        if name is None or (match["plain"] and name not in known):
            return match[0]
        if name not in known:
            line = text.count("\n", 0, match.start()) + 1
            cure = f"give it: --define {name}=VALUE"
            raise refuse(str(path), line, f"psql's variable {match[0]} has no value", cure)
        quote = match["quote"] or ""
        return f"{quote}{known[name].replace(quote, quote * 2) if quote else known[name]}{quote}"

    return _TOKEN.sub(value, text)


def _included(path: Path, top: Path, depth: int) -> str:
    def content(match: re.Match[str]) -> str:
        base = path.parent if match[1] in ("ir", "include_relative") else top
        other = base / match[2]
        if not depth or not other.is_file() or not inside(top, other):
            line = text.count("\n", 0, match.start()) + 1
            cure = "write its SQL there, or import the migration by hand"
            raise refuse(str(path), line, f"{match[0].strip()} leads to no file below {top}", cure)
        return _included(other, top, depth - 1).rstrip("\n")

    text = read_text(path)
    return _INCLUDE.sub(content, text)
