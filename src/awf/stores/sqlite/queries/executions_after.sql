SELECT
    e.ordinal AS "order", e.id, e.workflow, e.status, e.current_step, e.started_at, e.updated_at, e.running_since,
    e.completed_at, e.error, e.exit_code, e.waiting_for, e.waiting, e.parked, e.wake_at,
    e.resumed_from, e.owner, e.last_seq, e.usage
FROM executions AS e
WHERE e.ordinal > ?
ORDER BY e.ordinal
LIMIT ?
