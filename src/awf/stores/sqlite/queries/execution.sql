-- The inputs are in the first entry of the journal and stored nowhere else.
SELECT
    e.ordinal AS "order", e.id, e.workflow, e.status, e.current_step, e.started_at, e.updated_at, e.running_since,
    e.completed_at, e.error, e.exit_code, e.waiting_for, e.waiting, e.parked, e.wake_at,
    e.resumed_from, e.owner, e.last_seq, e.usage,
    accepted.type AS accepted_type, accepted.version AS accepted_version, accepted.body AS accepted_body
FROM executions AS e LEFT JOIN events AS accepted ON accepted.ordinal = e.ordinal AND accepted.seq = 1
WHERE e.id = ?
