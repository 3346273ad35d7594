"""What makes each operation unable, beside tests.unit.spec.refactoring.product: SQL, or a declaration.

The reference pages show these with the sentence that `check` says of them.
"""

from collections.abc import Mapping, Sequence

_NEVER = "CREATE RULE never AS ON DELETE TO host DO INSTEAD NOTHING"
_POLICY = "ALTER TABLE host ENABLE ROW LEVEL SECURITY"
_FORCED = "ALTER TABLE host ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
_PUBLISHED = "CREATE PUBLICATION changes FOR TABLE host"
_CHILD = "CREATE TABLE child () INHERITS (host)"
_NO_KEY = (
    "ALTER TABLE disk DROP CONSTRAINT disk_pkey; ALTER TABLE job DROP CONSTRAINT job_host_id_fkey; "
    "ALTER TABLE disk DROP CONSTRAINT disk_host_id_fkey; ALTER TABLE host DROP CONSTRAINT host_pkey"
)


def _on_update_of(column: str) -> str:
    return (
        f"CREATE TRIGGER noted AFTER UPDATE OF {column} ON host"
        " FOR EACH ROW EXECUTE FUNCTION note()"
    )


REFUSED: Mapping[str, Sequence[str]] = {
    "split_table": (
        "split_table: {table: machine, into: {hardware: {columns: [cpu]}}}",
        "split_table: {table: host, into: {hardware: {columns: [speed]}}}",
        "split_table: {table: host, into: {hardware: {columns: [id, cpu]}}}",
        "split_table: {table: host, into: {hardware: {columns: [cpu]}, other: {columns: [cpu]}}}",
        "split_table: {table: host, into: {disk: {columns: [cpu]}}}",
        "split_table: {table: host, into: {hardware: {columns: [cpu]}, system: {columns: [os],"
        " key: [name]}}}",
        "split_table: {table: host, into: {system: {columns: [os], key: [state]}}}",
        _NO_KEY,
        _CHILD,
        _POLICY,
        _NEVER,
        _PUBLISHED,
        _on_update_of("cpu"),
        "CREATE VIEW names AS SELECT name FROM host",
        "ALTER TABLE host ADD UNIQUE (name, cpu)",
        "ALTER TABLE host ADD CHECK (cpu <> memory OR name <> '')",
        "CREATE INDEX partly ON host (cpu) WHERE name <> ''",
        "ALTER TABLE host ADD FOREIGN KEY (cpu) REFERENCES kind ON DELETE CASCADE",
        "ALTER TABLE host ADD loud text GENERATED ALWAYS AS (name || cpu) STORED",
        "ALTER TABLE host ALTER cpu SET DEFAULT random()",
        "ALTER TABLE host ALTER cpu SET NOT NULL, ALTER cpu ADD GENERATED ALWAYS AS IDENTITY",
    ),
    "merge_tables": (
        "merge_tables: {tables: [job], into: host}",
        _CHILD,
        _POLICY,
        _NEVER,
        "CREATE TRIGGER noted AFTER UPDATE ON host FOR EACH ROW EXECUTE FUNCTION note()",
        "CREATE TRIGGER noted AFTER INSERT ON disk FOR EACH ROW EXECUTE FUNCTION note()",
        "CREATE VIEW sizes AS SELECT disk_size FROM disk",
        "CREATE PUBLICATION changes FOR TABLE disk",
        "CREATE TABLE part (disk bigint REFERENCES disk)",
        "ALTER TABLE host ADD disk_size integer",
        "ALTER TABLE disk ADD UNIQUE (disk_size)",
        "ALTER TABLE disk ALTER disk_size SET DEFAULT 1",
        "ALTER TABLE disk ADD CHECK (disk_size > 0) NOT VALID",
        "ALTER TABLE disk ADD CHECK (disk_size > host_id)",
    ),
    "move_columns": (
        "move_columns: {table: job, columns: [host_note], along: [priority], to: host}",
        "move_columns: {table: job, columns: [note], along: [host_id], to: host}",
        "move_columns: {table: job, columns: [priority], along: [host_id], to: host}",
        "ALTER TABLE job ALTER host_id DROP NOT NULL",
        "DROP INDEX job_by_host",
        "ALTER TABLE host ADD host_note text",
        "ALTER TABLE job ADD UNIQUE (host_note)",
        "ALTER TABLE job ALTER host_note TYPE json USING NULL",
        "ALTER TABLE job ADD CHECK (host_note <> '' OR priority > 0)",
        "CREATE TRIGGER noted AFTER UPDATE ON job FOR EACH ROW EXECUTE FUNCTION note()",
        "CREATE VIEW notes AS SELECT host_note FROM job",
        "CREATE PUBLICATION changes FOR TABLE job (id, host_note)",
        "ALTER TABLE job ENABLE ROW LEVEL SECURITY",
    ),
    "rename_table": (
        "rename_table: {table: machine, to: box}",
        "rename_table: {table: host, to: job}",
        _POLICY,
        _PUBLISHED,
        _NEVER,
    ),
    "rename_column": (
        "rename_column: {table: host, column: system, to: os_name}",
        "rename_column: {table: host, column: os, to: name}",
        _CHILD,
        _NEVER,
        _FORCED,
        _on_update_of("os"),
        "ALTER TABLE host DROP os, ADD os text GENERATED ALWAYS AS (upper(name)) STORED",
        "CREATE TRIGGER zzz BEFORE INSERT ON host FOR EACH ROW EXECUTE FUNCTION note()",
    ),
    "change_columns": (
        "change_columns: {table: host, old: {memory: memory / 2}, new: {mb: {type: bigint,"
        " value: memory * 2}}}",
        "change_columns: {table: host, old: {memory: mb / 2}, new: {name: {type: text,"
        " value: name}}}",
        _CHILD,
        _NEVER,
        _on_update_of("memory"),
        "ALTER TABLE host ADD UNIQUE (memory)",
        "CREATE VIEW sizes AS SELECT memory FROM host",
        "ALTER TABLE host ADD CHECK (memory > cpu)",
        "ALTER TABLE host ADD twice integer GENERATED ALWAYS AS (memory * 2) STORED",
        "CREATE PUBLICATION changes FOR TABLE host (id, memory)",
    ),
    "add_column": (
        "add_column: {table: host, column: os, type: text}",
        "add_column: {table: host, column: short, type: text, not_null: true}",
        "add_column: {table: host, column: short, type: text, value: lower(os), not_null: true}",
        "add_column: {table: host, column: short, type: text, value: lower(title)}",
        "add_column: {table: host, column: number, type: bigserial}",
        _CHILD,
        _FORCED,
    ),
    "set_not_null": (
        "set_not_null: {table: host, column: name, fill: os}",
        "set_not_null: {table: host, column: os, fill: memory::text}",
        "set_not_null: {table: host, column: os, fill: os}",
        _CHILD,
        _FORCED,
        "CREATE TRIGGER zzz BEFORE INSERT ON host FOR EACH ROW EXECUTE FUNCTION note()",
    ),
    "drop_column": (
        "drop_column: {table: host, column: system}",
        "drop_column: {table: host, column: name}",
        "drop_column: {table: job, column: priority, value: '2'}",
        "drop_column: {table: host, column: os, value: os}",
        "CREATE VIEW systems AS SELECT os FROM host",
        "ALTER TABLE host ADD UNIQUE (os, name)",
        "ALTER TABLE host ADD CHECK (os <> name)",
        "ALTER TABLE host ADD loud text GENERATED ALWAYS AS (upper(os)) STORED",
        _on_update_of("os"),
        "CREATE PUBLICATION changes FOR TABLE host (id, os)",
    ),
    "extract_lookup": (
        "extract_lookup: {table: host, column: os, into: job, reference: system_id}",
        "extract_lookup: {table: host, column: os, into: system, reference: name}",
        "extract_lookup: {table: host, column: os, into: system, reference: system_id, key: name}",
        "ALTER TABLE host ALTER os TYPE jsonb USING NULL",
        "ALTER TABLE host ADD UNIQUE (os, name)",
        "CREATE VIEW systems AS SELECT os FROM host",
        _CHILD,
        _NEVER,
        _on_update_of("os"),
    ),
    "drop_table": (
        "drop_table: {table: machine}",
        "drop_table: {table: host}",
        "CREATE VIEW sizes AS SELECT disk_size FROM disk",
        "CREATE TABLE child () INHERITS (disk)",
    ),
    "add_check": (
        "add_check: {table: host, name: host_cpu_check, check: memory > 0}",
        "add_check: {table: host, name: named, check: title <> ''}",
    ),
    "add_unique": (
        "add_unique: {table: host, name: host_title_key, columns: [title]}",
        "add_unique: {table: host, name: host_by_name, columns: [name]}",
        "add_unique: {table: host, name: host_cpu_check, columns: [name]}",
        _CHILD,
    ),
    "add_foreign_key": (
        "add_foreign_key: {table: job, name: job_disk, columns: [priority], references: host,"
        " referenced: [cpu]}",
        "add_foreign_key: {table: job, name: job_disk, columns: [host_note], references: host}",
        "add_foreign_key: {table: job, name: job_disk, columns: [host_id, priority],"
        " references: host}",
        "add_foreign_key: {table: job, name: job_disk, columns: [host_id], references: host,"
        " on_delete: set null}",
    ),
    "drop_constraint": (
        "drop_constraint: {table: host, name: host_name_check}",
        "drop_constraint: {table: host, name: host_pkey}",
    ),
    "add_index": (
        "add_index: {table: host, name: by_title, 'on': [title]}",
        "add_index: {table: host, name: host_by_name, 'on': [os]}",
        "add_index: {table: host, name: by_os, 'on': [os], using: hash, unique: true}",
        _CHILD,
    ),
    "drop_index": (
        "drop_index: {index: job_by_name}",
        "drop_index: {index: host_pkey}",
    ),
    "set_default": (
        "set_default: {table: job, column: state, default: '0'}",
        "ALTER TABLE job ALTER priority SET NOT NULL, ALTER priority DROP DEFAULT,"
        " ALTER priority ADD GENERATED ALWAYS AS IDENTITY",
    ),
    "drop_default": (
        "drop_default: {table: host, column: os}",
        "ALTER TABLE job ALTER priority SET NOT NULL, ALTER priority DROP DEFAULT,"
        " ALTER priority ADD GENERATED ALWAYS AS IDENTITY",
    ),
    "add_enum_value": (
        "add_enum_value: {type: colour, value: red}",
        "add_enum_value: {type: state, value: done}",
        "add_enum_value: {type: state, value: held, after: open}",
        "add_enum_value: {type: state, value: held, after: new, before: done}",
    ),
}
