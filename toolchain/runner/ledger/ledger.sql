-- The ledger of a shard, format 1: what the shard says of itself, which steps have run, which
-- servers are live. One database may hold several products; every table is keyed by product.
--
-- A server is frozen when it is published, and a newer runner may bring a newer ledger. So the
-- functions that servers call (read_handshake, ask, check_in, check_out) keep their names,
-- arguments and results for ever; what changes gets a new name.

REVOKE ALL ON SCHEMA interlock FROM PUBLIC;
COMMENT ON SCHEMA interlock IS 'Release ledger; written by the database package''s runner only.';

-- Versions -----------------------------------------------------------------------------------

-- The text that sorts byte by byte as versions do: numbers padded, and '~' for a final release,
-- which in ASCII comes after every letter of a pre-release.
CREATE OR REPLACE FUNCTION interlock.version_key(version text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part text[] := regexp_match(version COLLATE "C",
        '^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})'
        '(?:-([a-z]{1,16})(0|[1-9][0-9]{0,8}))?$');
BEGIN
    IF part IS NULL THEN
        RAISE EXCEPTION '% is not a version of the form X.Y.Z or X.Y.Z-preN', quote_literal(version)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN lpad(part[1], 9, '0') || lpad(part[2], 9, '0') || lpad(part[3], 9, '0')
        || coalesce(part[4] || lpad(part[5], 9, '0'), '~');
END
$$;

-- The law: newer knows older. Both windows bind, ceilings included.
CREATE OR REPLACE FUNCTION interlock.compatible(
    server_version text, oldest_schema integer, schema_below integer,
    shard_schema integer, oldest_server text, servers_below text
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT interlock.version_key(server_version) >= interlock.version_key(oldest_server) COLLATE "C"
       AND (servers_below IS NULL
            OR interlock.version_key(server_version)
               < interlock.version_key(servers_below) COLLATE "C")
       AND shard_schema >= oldest_schema
       AND (schema_below IS NULL OR shard_schema < schema_below)
$$;

-- Two servers side by side: the newer one decides.
CREATE OR REPLACE FUNCTION interlock.peers_compatible(
    one_version text, one_oldest text, one_below text,
    other_version text, other_oldest text, other_below text
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE
        WHEN one_version = other_version THEN true
        WHEN interlock.version_key(one_version) > interlock.version_key(other_version) COLLATE "C"
        THEN interlock.version_key(other_version) >= interlock.version_key(one_oldest) COLLATE "C"
             AND (one_below IS NULL OR interlock.version_key(other_version)
                                       < interlock.version_key(one_below) COLLATE "C")
        ELSE interlock.version_key(one_version) >= interlock.version_key(other_oldest) COLLATE "C"
             AND (other_below IS NULL OR interlock.version_key(one_version)
                                         < interlock.version_key(other_below) COLLATE "C")
    END
$$;

-- Tables -------------------------------------------------------------------------------------

-- history is what interlock.history() said when somebody last looked, since is when it had changed.
CREATE TABLE IF NOT EXISTS interlock.ledger (
    one_row boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    format integer NOT NULL,
    installed timestamptz NOT NULL DEFAULT clock_timestamp(),
    history text,
    since timestamptz
);

-- What the shard says of itself. ready_release is the last release whose schema is ready,
-- closed_release the last one whose contract has begun. doubted is when a registration may last
-- have been lost that a server still needs, doubt says whose and how.
CREATE TABLE IF NOT EXISTS interlock.handshake (
    product text PRIMARY KEY CHECK (product ~ '^[a-z][a-z0-9-]*$'),
    schema integer NOT NULL CHECK (schema >= 0),
    oldest_server text NOT NULL CHECK (interlock.version_key(oldest_server) IS NOT NULL),
    servers_below text CHECK (interlock.version_key(servers_below) IS NOT NULL
                              OR servers_below IS NULL),
    ready_release text CHECK (ready_release IS NULL
                              OR interlock.version_key(ready_release) IS NOT NULL),
    closed_release text CHECK (closed_release IS NULL
                               OR interlock.version_key(closed_release) IS NOT NULL),
    changed timestamptz NOT NULL DEFAULT clock_timestamp(),
    doubted timestamptz,
    doubt text
);

-- The cursor is the last key whose batch is committed; batch_walk says of which table and column.
CREATE TABLE IF NOT EXISTS interlock.steps (
    product text NOT NULL REFERENCES interlock.handshake ON DELETE CASCADE,
    id text NOT NULL,
    release text NOT NULL CHECK (interlock.version_key(release) IS NOT NULL),
    phase text NOT NULL CHECK (phase IN ('expand', 'migrate', 'contract')),
    position integer NOT NULL,
    checksum text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done', 'undoing', 'undone')),
    adopted boolean NOT NULL DEFAULT false,
    batch_walk text,
    cursor text,
    rows bigint NOT NULL DEFAULT 0,
    started timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished timestamptz,
    duration interval NOT NULL DEFAULT interval '0',
    role text NOT NULL DEFAULT session_user,
    operator text NOT NULL,
    host text NOT NULL,
    runner text NOT NULL,
    package text NOT NULL,
    PRIMARY KEY (product, id)
);

-- What has happened, for people; nothing is decided from it.
CREATE TABLE IF NOT EXISTS interlock.events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL DEFAULT '',
    role text NOT NULL DEFAULT session_user,
    operator text NOT NULL DEFAULT '',
    host text NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS events_of_product ON interlock.events (product, id);

-- Registrations. One is live while it is not retired and was seen within `expires`, judged by
-- this database's clock; one seen in the future, after a clock went back, is live. boot tells one
-- boot of a host from the next, and from another host of that name; '' where it is not known.
CREATE TABLE IF NOT EXISTS interlock.servers (
    product text NOT NULL REFERENCES interlock.handshake ON DELETE CASCADE,
    host text NOT NULL CHECK (host ~ '^[^[:cntrl:]/]{1,255}$'),
    instance text NOT NULL CHECK (instance ~ '^[^[:cntrl:]/]{1,255}$'),
    boot text NOT NULL DEFAULT '' CHECK (boot ~ '^[0-9a-f-]{0,64}$'),
    version text NOT NULL CHECK (interlock.version_key(version) IS NOT NULL),
    oldest_schema integer NOT NULL,
    schema_below integer,
    oldest_peer text NOT NULL CHECK (interlock.version_key(oldest_peer) IS NOT NULL),
    peers_below text CHECK (peers_below IS NULL OR interlock.version_key(peers_below) IS NOT NULL),
    registered timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires interval NOT NULL CHECK (expires BETWEEN interval '10 seconds' AND interval '30 days'),
    retired timestamptz,
    PRIMARY KEY (product, host, instance)
);

-- The schema as the last run left it, one digest for each object; verify compares.
CREATE TABLE IF NOT EXISTS interlock.snapshot (
    product text NOT NULL REFERENCES interlock.handshake ON DELETE CASCADE,
    object text NOT NULL,
    digest text NOT NULL
);
CREATE INDEX IF NOT EXISTS snapshot_of_product ON interlock.snapshot (product);

-- The roll call ------------------------------------------------------------------------------
--
-- A contract goes by the registrations, and so it waits where one may have been lost that a server
-- still needs: until each server that runs has had the time to refresh its own.

-- What changes when this database becomes another one: by a promotion, by a restore of files, of a
-- dump or into another database. NULL where PostgreSQL does not say.
CREATE OR REPLACE FUNCTION interlock.history() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN NULL;
    END IF;
    RETURN concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
        left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        'interlock.servers'::regclass::oid);
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    RETURN NULL;
END
$$;

-- Record a history that is not the one of before; whoever looks first does it.
CREATE OR REPLACE FUNCTION interlock.notice_history() RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE interlock.ledger l SET history = now_is, since = clock_timestamp()
      FROM interlock.history() now_is WHERE l.history <> now_is
$$;

-- When a registration of a product may last have been lost, and how; no row for never. A restart
-- counts, because PostgreSQL starts after files were put back, too.
CREATE OR REPLACE FUNCTION interlock.doubts(
    of_product text, OUT since timestamptz, OUT doubt text
) RETURNS SETOF record
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT d.since, d.doubt
      FROM interlock.ledger l
      JOIN interlock.handshake h ON h.product = of_product
     CROSS JOIN LATERAL (VALUES
           (h.doubted, h.doubt),
           (CASE WHEN l.history <> interlock.history() THEN clock_timestamp() ELSE l.since END,
            'the database failed over or was restored'),
           (CASE WHEN pg_postmaster_start_time() > l.installed THEN pg_postmaster_start_time() END,
            'PostgreSQL was started')
           ) AS d (since, doubt)
     WHERE d.since IS NOT NULL
     ORDER BY d.since DESC LIMIT 1
$$;

-- A registration of a product may be lost from now on; the reason is for people.
CREATE OR REPLACE FUNCTION interlock.doubt(of_product text, reason text) RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE interlock.handshake h SET doubted = clock_timestamp(), doubt = reason
     WHERE h.product = of_product
$$;

-- Another boot took a registration over, or back: of this host, after a crash, or of another host
-- of its name, whose server then runs on without one. The caller holds the handshake's row.
CREATE OR REPLACE FUNCTION interlock.doubt_boot(
    of_product text, of_host text, of_instance text, boot text, of_boot text
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF boot = of_boot OR boot = '' OR of_boot = '' THEN
        RETURN false;
    END IF;
    PERFORM interlock.doubt(of_product,
        of_host || '/' || of_instance || ' was registered by another boot of that name');
    RETURN true;
END
$$;

-- The start-up check ---------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION interlock.live(server interlock.servers) RETURNS boolean
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT server.retired IS NULL AND server.last_seen + server.expires > clock_timestamp() $$;

-- No row means that this database holds no such product.
CREATE OR REPLACE FUNCTION interlock.read_handshake(
    of_product text,
    OUT schema integer, OUT oldest_server text, OUT servers_below text
) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT h.schema, h.oldest_server, h.servers_below
      FROM interlock.handshake h WHERE h.product = of_product
$$;

-- The law for a server that would start: the shard's answer, and the live peers that stand
-- against it, as [{"host", "instance", "version"}]. Writes nothing.
CREATE OR REPLACE FUNCTION interlock.ask(
    of_product text, of_host text, of_instance text, of_version text,
    oldest_schema integer, schema_below integer, oldest_peer text, peers_below text,
    OUT accepted boolean, OUT schema integer, OUT oldest_server text, OUT servers_below text,
    OUT peers jsonb
) RETURNS SETOF record
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT interlock.compatible(of_version, $5, $6, h.schema, h.oldest_server, h.servers_below)
               AND against.peers = '[]',
           h.schema, h.oldest_server, h.servers_below, against.peers
      FROM interlock.handshake h
     CROSS JOIN LATERAL (
           SELECT coalesce(jsonb_agg(jsonb_build_object(
                      'host', s.host, 'instance', s.instance, 'version', s.version)
                      ORDER BY s.host COLLATE "C", s.instance COLLATE "C"), '[]') AS peers
             FROM interlock.servers s
            WHERE s.product = h.product
              AND (s.host, s.instance) IS DISTINCT FROM (of_host, of_instance)
              AND interlock.live(s)
              AND NOT interlock.peers_compatible(
                      of_version, $7, $8, s.version, s.oldest_peer, s.peers_below)
           ) AS against
     WHERE h.product = of_product
$$;

-- Ask and register in one transaction. It locks the row that a contract locks too: a server
-- either stands in the table when the gate looks, or sees the numbers that the contract raised.
-- replaced says that another boot's registration gave way.
CREATE OR REPLACE FUNCTION interlock.check_in(
    of_product text, of_host text, of_instance text, of_version text,
    oldest_schema integer, schema_below integer, oldest_peer text, peers_below text,
    expires interval, of_boot text,
    OUT accepted boolean, OUT schema integer, OUT oldest_server text, OUT servers_below text,
    OUT peers jsonb, OUT fresh boolean, OUT replaced boolean
) RETURNS SETOF record
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before interlock.servers;
BEGIN
    PERFORM FROM interlock.handshake h WHERE h.product = of_product FOR NO KEY UPDATE;
    SELECT a.accepted, a.schema, a.oldest_server, a.servers_below, a.peers
      INTO accepted, schema, oldest_server, servers_below, peers
      FROM interlock.ask($1, $2, $3, $4, $5, $6, $7, $8) a;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO before FROM interlock.servers s
     WHERE s.product = of_product AND s.host = of_host AND s.instance = of_instance;
    fresh := before.host IS NULL OR NOT interlock.live(before);
    replaced := accepted AND before.host IS NOT NULL AND before.retired IS NULL
                AND interlock.doubt_boot($1, $2, $3, before.boot, of_boot);
    PERFORM interlock.notice_history();
    IF accepted THEN
        INSERT INTO interlock.servers AS s (product, host, instance, boot, version, oldest_schema,
                schema_below, oldest_peer, peers_below, expires)
        VALUES ($1, $2, $3, of_boot, $4, $5, $6, $7, $8, $9)
        ON CONFLICT ON CONSTRAINT servers_pkey DO UPDATE
           SET boot = excluded.boot, version = excluded.version,
               oldest_schema = excluded.oldest_schema, schema_below = excluded.schema_below,
               oldest_peer = excluded.oldest_peer, peers_below = excluded.peers_below,
               expires = excluded.expires,
               last_seen = clock_timestamp(), retired = NULL,
               registered = CASE WHEN fresh OR s.version <> excluded.version
                                 THEN clock_timestamp() ELSE s.registered END;
        IF fresh OR before.version <> of_version THEN
            INSERT INTO interlock.events (product, kind, subject, detail, host)
            VALUES (of_product, 'server', of_host || '/' || of_instance, of_version || ' registered',
                    of_host);
        END IF;
    END IF;
    RETURN NEXT;
END
$$;

-- A server that stopped says so; true when there was a registration.
CREATE OR REPLACE FUNCTION interlock.check_out(
    of_product text, of_host text, of_instance text, of_boot text
) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before interlock.servers;
BEGIN
    PERFORM FROM interlock.handshake h WHERE h.product = of_product FOR NO KEY UPDATE;
    DELETE FROM interlock.servers s
     WHERE s.product = of_product AND s.host = of_host AND s.instance = of_instance
    RETURNING * INTO before;
    IF FOUND THEN
        PERFORM interlock.doubt_boot($1, $2, $3, before.boot, of_boot)
          WHERE before.retired IS NULL;
        INSERT INTO interlock.events (product, kind, subject, detail, host)
        VALUES (of_product, 'server', of_host || '/' || of_instance, 'stopped', of_host);
    END IF;
    RETURN before.host IS NOT NULL;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA interlock FROM PUBLIC;
