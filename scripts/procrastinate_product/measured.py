"""What was measured of servers and schemas, beside what procrastinate documents."""

# What was measured on PostgreSQL 15: a worker of each release of releases.CHAIN against the schema
# after each migration; jobs deferred, fetched, retried, cancelled and aborted, periodic tasks,
# notifications, and every statement of the release's queries.sql prepared.
MEASURED = {
    "02.00.03_01_add_job_priority": "servers from 2.0.0 on work after it, and 2.5.0 fails "
    'without it (column "priority" does not exist)',
    "02.05.00_01_add_periodic_job_priority": "servers from 2.0.0 on work after it; 2.6.0 would "
    "work without it, 2.14.1 would not (procrastinate_defer_periodic_job)",
    "02.06.00_01_add_cancel_states": "servers from 2.0.0 on work after it, and 2.8.0 cannot "
    "cancel a job without it (procrastinate_cancel_job)",
    "02.08.00_01_add_additional_params_to_retry_job": "servers from 2.0.0 on work after it, and "
    "2.9.2 cannot retry a job without it (procrastinate_retry_job)",
    "02.14.01_01_add_indexes_for_fetch_job": "servers from 2.0.0 on work after it, and 2.15.1 "
    "would work without it",
    "03.00.00_01_pre_cancel_notification": "servers from 2.0.0 to 3.0.2 work on it side by "
    "side, but for one thing: a running job of a 3.x worker that a 2.x client aborts stays in "
    "'aborting'; 3.0.0 fails without it (procrastinate_defer_job_v1)",
    "03.00.00_50_post_cancel_notification": "servers from 3.0.0 on work after it, and 2.15.1 "
    "fails (procrastinate_defer_job does not exist)",
    "03.01.00_01_pre_add_heartbeat": "servers from 3.0.0 on work after it, and 3.1.0 fails "
    "without it (procrastinate_prune_stalled_workers_v1)",
    "03.01.00_50_post_add_heartbeat": "servers from 3.1.0 on work after it, and 3.0.2 cannot "
    "fetch a job (procrastinate_fetch_job_v1 does not exist)",
    "03.02.00_01_pre_batch_defer_jobs": "servers from 3.0.0 on work after it, and 3.2.2 fails "
    "without it (procrastinate_defer_jobs_v1)",
    "03.02.00_50_post_batch_defer_jobs": "servers from 3.2.2 on work after it, and 3.1.0 "
    "cannot defer a job (procrastinate_defer_job_v1 does not exist)",
    "03.03.00_01_pre_priority_lock_fetch_job": "servers from 3.1.0 on work after it, and 3.3.0 "
    "would work without it",
    "03.04.00_01_pre_add_retry_failed_job_procedure": "servers from 3.2.2 on work after it, and "
    "3.4.0 cannot retry a job without it (procrastinate_retry_job_v2)",
    "03.04.00_50_post_add_retry_failed_job_procedure": "servers from 3.2.2 on work after it: it "
    "only replaces a trigger",
}
