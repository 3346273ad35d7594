"""The files of a server's statements, read and checked by PostgreSQL's own parser."""

import re
from collections.abc import Iterator

from toolchain.model.origin import Origin
from toolchain.model.statement import Earlier, Statement
from toolchain.spec.codes import Code
from toolchain.spec.located.text import MEBIBYTE, SQL_LIMIT, decode, origin_at
from toolchain.spec.problem import Complaint, Place, Problem
from toolchain.spec.sql.parser import parse
from toolchain.spec.statements.annotations import Misplaced, annotations_of, name_of
from toolchain.spec.statements.written import MixedError, TakenApart, Written, take_apart
from toolchain.spec.tree import KIND_WORDS, Tree
from toolchain.spec.wording import show, show_path

_SUFFIX = ".sql"


class StatementFiles:
    """Reads the statements that a path stands for; what is wrong inside is kept in `problems`."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._refused: set[str] = set()
        self._file_refused = False
        self.problems: list[Problem] = []
        self.texts: dict[str, str] = {}

    def read(self, path: str) -> tuple[Statement, ...]:
        """All statements of a file, or of every SQL file below a directory, in order.

        Raises Complaint, about whatever names the path, when there is nothing to read.
        """
        statements = [each for file in self._files(path) for each in self._statements(file)]
        known: dict[str, Statement] = {}
        for each in statements:
            if each.name in known:
                self._complain(
                    f"the name {show(each.name)} stands at {known[each.name].origin} too",
                    "give each statement of a server a name of its own",
                    each.origin,
                )
            self._check_earlier(each, known)
            known[each.name] = each
        if not statements and not self.problems:
            raise Complaint(
                Code.SQL_EMPTY,
                f"{show_path(self._tree.shown(path))} has no statement",
                f"write one into a file that ends with {_SUFFIX}, or take the key out",
            )
        return tuple(statements)

    def _check_earlier(self, statement: Statement, known: dict[str, Statement]) -> None:
        for kind in ("sample", "seed"):
            rows = statement.samples if kind == "sample" else statement.seeds
            for value in (value for row in rows for value in row):
                if not isinstance(value, Earlier) or self._is_refused(value.statement):
                    continue
                earlier = known.get(value.statement)
                if earlier is None or not (earlier.samples if kind == "sample" else earlier.seeds):
                    self._complain(
                        f"the {kind} takes a value from {show(value.statement)}, and no statement"
                        f" of that name with a {kind} stands before it",
                        f"name a statement above this one, and give that one a {kind}",
                        statement.origin,
                    )

    def _is_refused(self, name: str) -> bool:
        """Whether a statement may be there, and was refused: that is told, and no other error."""
        return self._file_refused or name in self._refused

    def _complain(self, message: str, cure: str, origin: Origin) -> None:
        self.problems.append(Complaint(Code.STATEMENT, message, cure).at(Place(origin)))

    def _files(self, path: str) -> list[str]:
        entry = self._tree.look(path)
        if entry.kind == "directory":
            try:
                below = [
                    f"{path}/{name}"
                    for name, found in self._tree.walk(path)
                    if found.kind == "file" and name.endswith(_SUFFIX)
                ]
            except OSError as error:
                raise _unreadable(self._tree.shown(path), error) from None
            return below
        if entry.kind != "file":
            missing = entry.kind in ("missing", "dangling")
            raise Complaint(
                Code.SQL_MISSING if missing else Code.FILE_KIND,
                f"{show_path(self._tree.shown(path))} is {KIND_WORDS[entry.kind]}",
                "name an SQL file of this server's statements, or a directory of such files",
            )
        return [path]

    def _refuse_file(self, problem: Problem) -> None:
        self.problems.append(problem)
        self._file_refused = True

    def _statements(self, path: str) -> Iterator[Statement]:
        """The sound statements of one file; raises Complaint where it cannot be read."""
        shown = self._tree.shown(path)
        text = self._text(path, shown)
        if isinstance(text, Problem):
            self._refuse_file(text)
            return
        self.texts[shown] = text
        taken = _taken_apart(shown, text)
        if isinstance(taken, Problem):
            self._refuse_file(taken)
            return
        stem = path.rpartition("/")[2].removesuffix(_SUFFIX)
        for number, written in enumerate(taken.statements, start=1):
            name = name_of(written) or f"{stem}-{number}"
            try:
                yield _statement(name, written, origin_at(shown, text, written.index))
            except Misplaced as misplaced:
                place = Place(origin_at(shown, text, misplaced.index))
                self.problems.append(misplaced.complaint.at(place))
                self._refused.add(name)

    def _text(self, path: str, shown: str) -> str | Problem:
        if self._tree.look(path).size > SQL_LIMIT:
            raise Complaint(
                Code.FILE_SIZE,
                f"{show_path(shown)} is larger than {SQL_LIMIT // MEBIBYTE} MiB",
                "keep the statements of one server in files that people can read",
            )
        try:
            return decode(shown, self._tree.read(path, SQL_LIMIT))
        except OSError as error:
            raise _unreadable(shown, error) from None


def _statement(name: str, written: Written, origin: Origin) -> Statement:
    """The statement with what its comments say; raises Misplaced."""
    noted = annotations_of(written)
    if written.sql[:5].lower() in ("copy ", "copy\n") and (noted.samples or noted.seeds):
        complaint = Complaint(
            Code.STATEMENT,
            "COPY moves data through a client, and a sample has none",
            "take the sample out: the statement is parsed without it",
        )
        raise Misplaced(complaint, written.index)
    return Statement(
        name=name,
        sql=written.sql,
        text=written.text,
        parameters=len(written.names),
        samples=noted.samples,
        seeds=noted.seeds,
        origin=origin,
    )


def _taken_apart(shown: str, text: str) -> TakenApart | Problem:
    """The file's statements, or why PostgreSQL would take none of them."""
    try:
        taken = take_apart(text)
    except MixedError as error:
        return Complaint(
            Code.SQL_PARAMETER,
            "the file writes its parameters in two styles",
            "write all of them as $1, or all of them as %(name)s",
        ).at(Place(origin_at(shown, text, error.index)))
    return _problem(shown, taken) or taken


def _problem(shown: str, taken: TakenApart) -> Problem | None:
    """What PostgreSQL's parser says, with the words of somebody who writes statements."""
    parsed = parse(shown, taken.sql)
    if isinstance(parsed, Problem):
        return _reworded(parsed, taken)
    if len(parsed) != len(taken.statements):
        return Complaint(
            Code.STATEMENT,
            f"PostgreSQL's parser finds {len(parsed)} statements,"
            f" and the semicolons of the file part it into {len(taken.statements)}",
            "write each statement plainly, with a semicolon behind it and none inside",
        ).at(Place(Origin(file=shown)))
    for statement, written in zip(parsed, taken.statements, strict=True):
        if statement.kind == "TransactionStmt":
            return Complaint(
                Code.SQL_TRANSACTION,
                f"{show(written.text)} begins or ends a transaction",
                "take it out: the rehearsal rolls back whatever it runs",
            ).at(Place(origin_at(shown, taken.sql, statement.index)))
    return None


_OTHER_STYLE = re.compile(r"(?<![:\w]):[A-Za-z_]\w*|\?(?![|&])")


def _reworded(problem: Problem, taken: TakenApart) -> Problem:
    lines = taken.sql.split("\n")
    line = lines[problem.origin.line - 1] if problem.origin.line <= len(lines) else ""
    near = line[max(0, problem.origin.column - 4) :]
    other = _OTHER_STYLE.search(near)
    if other is None or other.start() > 4:
        return problem
    return Complaint(
        Code.SQL_PARAMETER,
        f"{show(other[0])} is no parameter that PostgreSQL or psycopg knows",
        "write $1 and so on, or %(name)s, or %s",
    ).at(Place(problem.origin))


def _unreadable(shown: str, error: OSError) -> Complaint:
    return Complaint(
        Code.UNREADABLE,
        f"{show_path(shown)} cannot be read: {error.strerror}",
        "mend the file's permissions",
    )
