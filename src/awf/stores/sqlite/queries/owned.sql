SELECT
    ordinal AS "order", id, workflow, status, current_step, started_at, updated_at, running_since, completed_at,
    error, exit_code, waiting_for, waiting, parked, wake_at, resumed_from, owner, last_seq, usage, fence
FROM executions
WHERE id = ?
