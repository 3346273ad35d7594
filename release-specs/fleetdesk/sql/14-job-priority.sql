-- A constant default is kept in the catalogue (PostgreSQL 11 and later), so no row is rewritten,
-- and the jobs of servers that know no priorities have the ordinary one.
ALTER TABLE public.job ADD COLUMN priority smallint NOT NULL DEFAULT 0;
