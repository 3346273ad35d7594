DROP INDEX CONCURRENTLY IF EXISTS public.job_waiting_by_priority;
