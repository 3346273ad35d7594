-- it.expand
-- it. A label is no form of any row: new servers write it from the expand on, and servers of the
-- release before may then read a label that they do not know.

-- IF NOT EXISTS, because the undo of this step leaves the label.
ALTER TYPE public.state ADD VALUE IF NOT EXISTS 'held' AFTER 'new';

-- undo of it.expand
-- PostgreSQL has no way to remove a label, since rows and indexes may hold it. It stays, and
-- nobody has to use it.
SELECT;

