"""The stable names of everything that can be wrong in a product's files."""

from enum import Enum


class Code(Enum):
    """A kind of problem: its id stands in reports for ever, its title explains it in one line."""

    title: str

    def __new__(cls, identifier: str, title: str) -> "Code":
        """Keep the id as the value and the title beside it."""
        code = object.__new__(cls)
        code._value_ = identifier
        code.title = title
        return code

    # The directory and its files.
    NO_PRODUCT = "no-product", "The directory has no product.yaml."
    NO_RELEASE = "no-release", "The directory has no release spec."
    FILE_NAME = "file-name", "A spec's file name is not a release version."
    FILE_KIND = "file-kind", "A spec is not a regular file inside the product."
    FILE_SIZE = "file-size", "A file is larger than any spec needs to be."
    UNREADABLE = "unreadable", "A file or directory cannot be read."
    ENCODING = "encoding", "A file is not plain UTF-8."
    CONTROL_CHARACTER = "control-character", "A control character stands where text belongs."

    # YAML.
    EMPTY_FILE = "empty-file", "A spec holds nothing."
    YAML_SYNTAX = "yaml-syntax", "A spec is not well-formed YAML."
    YAML_ALIAS = "yaml-alias", "A spec uses an anchor, an alias or a merge key."
    YAML_TAG = "yaml-tag", "A spec uses a YAML tag."
    YAML_DOCUMENTS = "yaml-documents", "A file holds more than one YAML document."
    YAML_DEPTH = "yaml-depth", "A spec is nested deeper than any spec needs to be."
    YAML_KEY = "yaml-key", "A key is not plain text."
    DUPLICATE_KEY = "duplicate-key", "A key stands twice in one mapping."

    # The shape of a spec.
    UNKNOWN_KEY = "unknown-key", "A key that the format does not have."
    MISSING_KEY = "missing-key", "A key that the format requires is not there."
    NO_VALUE = "no-value", "A key has no value."
    WRONG_TYPE = "wrong-type", "A value is of another type than the format has there."
    WRONG_VALUE = "wrong-value", "A value is none of those that the format allows."
    OUT_OF_RANGE = "out-of-range", "A number or a length is out of range."
    DUPLICATE_ITEM = "duplicate-item", "An item stands twice in one list."
    OPERATION = "operation", "A step does not name exactly one operation."
    REFACTORING = "refactoring", "A refactoring would break somebody, or cannot be done here."
    REFACTORING_SQL = "refactoring-sql", "A refactoring holds SQL that is no expression or type."
    REFACTORING_STEPS = "refactoring-steps", "A refactoring lacks a step, or has one too many."
    TOO_MANY = "too-many-problems", "A file has more problems than are worth listing."

    # Single values.
    LINE = "one-line", "A value that must be one line of text is not."
    NAME = "name", "A name is outside its grammar."
    VERSION = "version", "A release version is outside the grammar."
    WINDOW = "window", "A compatibility window is outside the grammar."
    DATE = "date", "A release date is not a day of the calendar."
    MAINTAINER = "maintainer", "A maintainer is not 'Name <mail>'."
    HOMEPAGE = "homepage", "A homepage is not an http address."
    LICENCE = "licence", "A licence is not an SPDX expression."
    COMPRESSION = "compression", "A compression is not METHOD or METHOD:LEVEL."
    PATH = "path", "A path leads out of the product or is not normalized."
    TARGET = "target", "A target is a place where a package must not install."
    MODE = "mode", "A mode is not four octal digits in quotes, or is unsafe."
    DEPENDENCY = "dependency", "A dependency is outside the grammar of its package format."
    ARCHITECTURES = "architectures", "'all' stands beside other architectures."

    # Environment variables.
    UNKNOWN_VARIABLE = "unknown-variable", "A value names a variable that is not declared."
    UNSET_VARIABLE = "unset-variable", "A variable without a default is not set."

    # The payload.
    SOURCE_MISSING = "source-missing", "A source does not exist."
    SOURCE_KIND = "source-kind", "A source is a directory where a file belongs, or the reverse."
    SOURCE_ESCAPE = "source-escape", "A source or a link in it leads out of the product."
    SOURCE_SPECIAL = "source-special", "A source is a device, a socket or a pipe."
    SOURCE_NAME = "source-name", "A payload file's name cannot be packed."
    SOURCE_EMPTY = "source-empty", "A source directory has nothing in it."
    SOURCE_ARCHITECTURE = "source-architecture", "An architecture has no source."
    SETUID = "setuid", "A file has a setuid or setgid bit that the spec does not declare."
    DUPLICATE_TARGET = "duplicate-target", "Two entries install the same path."
    DUPLICATE_NAME = "duplicate-name", "Two services, users or directories share a name."
    UNKNOWN_USER = "unknown-user", "A user or group is not declared."
    STAND_IN = "stand-in", "A program is the stand-in that an import wrote (a hint)."

    # SQL.
    REFACTORING_UNDER_WAY = (
        "refactoring-under-way",
        "A step changes what an earlier refactoring has in two forms.",
    )
    STATEMENT_LIMIT = "statement-limit", "A server's statement would meet a form that cannot do it."
    STATEMENT_NEED = "statement-need", "A server's statement needs what a shard does not have."
    SQL_MISSING = "sql-missing", "An SQL file does not exist."
    SQL_EMPTY = "sql-empty", "An SQL file has no statement."
    SQL_SYNTAX = "sql-syntax", "PostgreSQL's parser refuses a statement."
    SQL_META_COMMAND = "sql-meta-command", "An SQL file uses a command of psql."
    SQL_TRANSACTION = "sql-transaction", "An SQL file begins or ends a transaction."
    SQL_CLIENT = "sql-client", "A statement needs data from a client."
    SQL_NOT_TRANSACTIONAL = (
        "sql-not-transactional",
        "A statement that PostgreSQL refuses in a transaction stands in a transactional step.",
    )
    SQL_ONE_STATEMENT = (
        "sql-one-statement",
        "A file of a step without a transaction does not hold exactly one statement.",
    )
    SQL_PARAMETER = "sql-parameter", "A parameter that the step does not get, or a batch ignores."
    STATEMENT = "statement", "A server's statement has a name or a sample that does not fit it."

    # The chain of releases.
    RELEASE_FILE = "release-file", "A release's version is not its file's name."
    DUPLICATE_RELEASE = "duplicate-release", "Two files are the same release."
    DATE_ORDER = "date-order", "A release is dated before every release of a lower version."
    SCHEMA_BACKWARDS = "schema-backwards", "The schema version goes back."
    SCHEMA_KEPT = "schema-kept", "A release with steps keeps the schema version."
    SCHEMA_RAISED = "schema-raised", "A release without steps raises the schema version."
    DUPLICATE_STEP = "duplicate-step", "A phase of a change stands twice in the product."
    CONTRACT_WITHOUT_EXPAND = "contract-without-expand", "A contract that nothing expanded."
    CONTRACT_TOO_EARLY = "contract-too-early", "A contract in the release of its expand."
    MIGRATE_WITHOUT_EXPAND = "migrate-without-expand", "A migrate that nothing expanded."
    MIGRATE_TOO_LATE = "migrate-too-late", "A migrate after the contract of its change."
    HOTFIX_SCHEMA = "hotfix-schema", "A hotfix of an older branch changes the schema version."
    HOTFIX_LOST = "hotfix-lost", "A later release does not carry a hotfix's step."
    STEP_DIFFERS = "step-differs", "Two branches carry one step with different content."
    DATABASE_LEFT_OUT = "database-left-out", "A release without a database package needs one."
    FORM_UNKNOWN = "form-unknown", "A form names a change that the release does not know."
    FORM_NOT_READY = "form-not-ready", "A server uses a new form before it is ready."
    FORM_GONE = "form-gone", "A server uses an old form that its own release removes."
    WINDOW_EXCLUDES_ITSELF = "window-excludes-itself", "A window does not hold its own release."
    WINDOW_TOO_NARROW = "window-too-narrow", "A window does not reach back as far as `skew` says."
    WINDOW_TOO_WIDE = "window-too-wide", "A window promises what is not true."
    WINDOW_COULD_BE_WIDER = "window-could-be-wider", "A window promises less than is true (a hint)."
    NO_ROLLOUT = "no-rollout", "No order of steps leads from one release to the next."

    # The product's own templates.
    TEMPLATE_FILE = "template-file", "A file in packaging/ can't be used, or replaces no template."
    TEMPLATE = "template", "A template in packaging/ can't be filled for some package."

    # What is published.
    PUBLISHED_DIFFERS = "published-differs", "A spec says what its published package does not."
    PUBLISHED_STEP = "published-step", "A spec's steps are not those of its published package."
    PUBLISHED_WINDOW = (
        "published-window",
        "A new release would need a published package to have said something else.",
    )

    # What SQL would do to a service that stays up.
    LINT_INDEX_LOCK = "lint-index-lock", "CREATE INDEX blocks every write while the index is built."
    LINT_INDEX_DROP = "lint-index-drop", "DROP INDEX waits for every query of its table (a hint)."
    LINT_REINDEX = "lint-reindex", "REINDEX blocks every write while the index is built."
    LINT_COLUMN_REWRITE = "lint-column-rewrite", "A new column makes PostgreSQL write every row."
    LINT_TYPE_REWRITE = "lint-type-rewrite", "A new type makes PostgreSQL write every row."
    LINT_TABLE_REWRITE = "lint-table-rewrite", "A statement writes a whole table anew."
    LINT_NOT_NULL_COLUMN = "lint-not-null-column", "A new column is NOT NULL without a default."
    LINT_SET_NOT_NULL = "lint-set-not-null", "SET NOT NULL looks at every row under a lock."
    LINT_CONSTRAINT_SCAN = "lint-constraint-scan", "A constraint checks every row under a lock."
    LINT_CONSTRAINT_INDEX = "lint-constraint-index", "A constraint builds its index under a lock."
    LINT_VALIDATE_TOGETHER = (
        "lint-validate-together",
        "VALIDATE CONSTRAINT runs under a lock that its step holds already.",
    )
    LINT_REFRESH = "lint-refresh", "REFRESH MATERIALIZED VIEW blocks its readers."
    LINT_LOCK_TABLE = "lint-lock-table", "LOCK TABLE blocks a service until the step ends."
    LINT_LOCK_ORDER = "lint-lock-order", "A step locks several tables one by one (a hint)."
    LINT_TRUNCATE = "lint-truncate", "TRUNCATE empties a table that is in use."
    LINT_WRITE = "lint-write", "A step that is no migrate changes the rows of a table in use."
    LINT_MIGRATE_KEY = "lint-migrate-key", "A migrate without a key changes all rows at once."
    LINT_BATCH_BOUNDS = "lint-batch-bounds", "A batch is not bounded by its first and last key."
    LINT_ENUM_VALUE = "lint-enum-value", "A new enum label is used by the step that adds it."
    LINT_DEFINER_PATH = "lint-definer-path", "A SECURITY DEFINER function has no search_path."
    LINT_CASCADE = "lint-cascade", "CASCADE removes what the file does not name."
    LINT_REFERENCE = "lint-reference", "A new reference changes what a DELETE does (a hint)."
    LINT_REMOVES = "lint-removes", "An expand or migrate removes what servers may still use."
    LINT_RENAMES = "lint-renames", "An expand or migrate renames what servers may still use."
    LINT_NARROWS = "lint-narrows", "An expand or migrate refuses what servers may still write."
    LINT_CONTRACT_STRANGER = (
        "lint-contract-stranger",
        "A contract drops what its change never had to do with.",
    )
    LINT_ALLOW_UNKNOWN = "lint-allow-unknown", "`allow` names no finding of the safety lint."
    LINT_ALLOW_UNUSED = "lint-allow-unused", "`allow` names a finding that the step does not have."
    LINT_ALLOW_REASON = "lint-allow-reason", "`allow` gives no reason that could be checked."

    @property
    def is_hint(self) -> bool:
        """Whether it is worth saying only: nothing that keeps a product from being built."""
        return self in _HINTS


_HINTS = frozenset(
    {
        Code.STAND_IN,
        Code.WINDOW_COULD_BE_WIDER,
        Code.LINT_INDEX_DROP,
        Code.LINT_LOCK_ORDER,
        Code.LINT_REFERENCE,
    }
)
