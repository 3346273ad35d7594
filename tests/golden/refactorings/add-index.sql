-- it.expand
-- it. An index is no form of any row: it is built beside the writers, and is there at once.

-- CONCURRENTLY keeps no writer waiting, and is no part of a transaction. What is half built after
-- a crash is dropped and built again.
CREATE INDEX CONCURRENTLY by_name
    ON public.host USING btree ((lower(name)))
    WHERE os IS NULL;

-- undo of it.expand
DROP INDEX CONCURRENTLY public.by_name;

