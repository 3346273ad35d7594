-- The audit log is the longest table and never at rest; a plain CREATE INDEX would stop its
-- writers.
CREATE INDEX CONCURRENTLY audit_by_host ON public.audit (host, id DESC);
