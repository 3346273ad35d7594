-- it.expand
-- it. New servers do not use the table, so it has no new form; it stays until no server is left
-- that does.

-- Nothing goes before the contract, since servers of the release before still use it. Until then
-- this step only makes sure that it is there.
SELECT 'public.disk'::regclass;

-- undo of it.expand
-- The step has changed nothing, so there is nothing to take back.
SELECT;

-- it.contract
-- The rows are gone with it.
DROP TABLE public.disk;

