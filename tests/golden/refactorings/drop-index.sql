-- it.expand
-- it. An index is no form of any row; it stays until no server is left that was written with it
-- in mind.

-- Nothing goes before the contract, since servers of the release before still use it. Until then
-- this step only makes sure that it is there.
SELECT 'public.job_by_host'::regclass;

-- undo of it.expand
-- The step has changed nothing, so there is nothing to take back.
SELECT;

-- it.contract
-- This locks the table for the moment that a change of the catalogue takes. DROP INDEX
-- CONCURRENTLY does not, but no contract runs outside of a transaction.
DROP INDEX public.job_by_host;

