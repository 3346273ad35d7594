-- The tables of Fleetdesk 3.9: one wide row for each host, a job queue, an audit log.

CREATE TABLE public.host (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    os text NOT NULL DEFAULT '',
    cpu_model text,
    cpu_count integer,
    memory_mb integer,
    fqdn text,
    ipv4 inet,
    ipv6 inet,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    scanned_at timestamptz,
    CONSTRAINT host_name_key UNIQUE (name),
    CONSTRAINT host_cpu_count_check CHECK (cpu_count >= 0),
    CONSTRAINT host_memory_mb_check CHECK (memory_mb >= 0)
);

-- A job names its host and does not reference it: a delete of the host would lock first the host
-- and then its jobs, a worker first the job and then the host, and the two would deadlock.
CREATE TABLE public.job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host text NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT job_state_check CHECK (state IN ('waiting', 'done', 'failed'))
);

CREATE INDEX job_waiting ON public.job (id) WHERE state = 'waiting';

-- The log outlives the hosts that it tells of, so it names them too.
CREATE TABLE public.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    host text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
