-- One line for each object of the shard's own schemas, and a digest of its definition. Left out:
-- extensions' members, partitions (applications make them as time goes by), toast, temporary
-- tables, and the ledger itself.
WITH own AS (
     SELECT oid, nspname FROM pg_namespace
      WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'interlock')
        AND nspname !~ '^pg_(toast|temp)'
), extension AS (
     SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), relation AS (
     SELECT c.oid, c.relkind, format('%I.%I', own.nspname, c.relname) AS name
       FROM pg_class c JOIN own ON own.oid = c.relnamespace
      WHERE NOT c.relispartition AND c.relpersistence <> 't'
        AND NOT EXISTS (SELECT FROM extension e
                         WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
), object (name, definition) AS (
     SELECT format('column %s.%I', r.name, a.attname),
            concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                      a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
       FROM relation r
       JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
       LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
      WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
     UNION ALL
     SELECT 'relation ' || r.name, r.relkind::text FROM relation r
      WHERE r.relkind IN ('r', 'p', 'f', 'S', 'c')
     UNION ALL
     SELECT 'view ' || r.name, pg_get_viewdef(r.oid) FROM relation r WHERE r.relkind IN ('v', 'm')
     UNION ALL
     SELECT 'index ' || r.name, pg_get_indexdef(r.oid) FROM relation r WHERE r.relkind IN ('i', 'I')
     UNION ALL
     SELECT format('constraint %I on %s', k.conname, r.name),
            concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated)
       FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid
     UNION ALL
     SELECT format('trigger %I on %s', t.tgname, r.name),
            concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
       FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
     UNION ALL
     SELECT format('function %I.%I(%s)', own.nspname, p.proname,
                   pg_get_function_identity_arguments(p.oid)),
            concat_ws(' ', p.prokind, p.prosrc, p.prosecdef, p.proconfig::text, p.provolatile,
                      pg_get_function_result(p.oid))
       FROM pg_proc p JOIN own ON own.oid = p.pronamespace
      WHERE NOT EXISTS (SELECT FROM extension e
                         WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
     UNION ALL
     SELECT format('type %I.%I', own.nspname, t.typname),
            concat_ws(' ', t.typtype, format_type(t.typbasetype, t.typtypmod),
                      (SELECT string_agg(quote_literal(l.enumlabel), ',' ORDER BY l.enumsortorder)
                         FROM pg_enum l WHERE l.enumtypid = t.oid))
       FROM pg_type t JOIN own ON own.oid = t.typnamespace
      WHERE t.typtype IN ('e', 'd')
        AND NOT EXISTS (SELECT FROM extension e
                         WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
)
SELECT name, md5(definition) FROM object
