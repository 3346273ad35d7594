-- For the workers' next question: which waiting job is the most urgent, and of those the oldest.
CREATE INDEX CONCURRENTLY job_waiting_by_priority
    ON public.job (priority DESC, id) WHERE state = 'waiting';
