-- What changes a few times in the life of an execution, and with it the indexes.
UPDATE executions
SET status = :status, owner = :owner, running_since = :running_since, completed_at = :completed_at,
    error = :error, exit_code = :exit_code, waiting = :waiting, parked = :parked, wake_at = :wake_at,
    usage = :usage
WHERE ordinal = :order
