-- it.expand
-- it. A unique constraint is no form of any row: its index binds all servers from the expand on,
-- and becomes the constraint in the contract.

-- The index alone refuses duplicates, and ON CONFLICT and foreign keys find it. CONCURRENTLY
-- keeps no writer waiting, and is no part of a transaction.
CREATE UNIQUE INDEX CONCURRENTLY host_name_key
    ON public.host (name);

-- undo of it.expand
DROP INDEX CONCURRENTLY public.host_name_key;

-- it.contract
-- The index is built already, so this is a change of the catalogue alone.
ALTER TABLE public.host
    ADD CONSTRAINT host_name_key UNIQUE USING INDEX host_name_key;

