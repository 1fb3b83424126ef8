-- Looks again: since it was chosen, somebody may have resumed it, or what was newer may have gone.
DELETE FROM executions
WHERE ordinal = :ordinal AND completed_at IS NOT NULL
    AND ordinal < (SELECT max(ordinal) FROM executions)
    AND NOT EXISTS (
        SELECT 1
        FROM executions AS heir INDEXED BY heirs
        WHERE heir.resumed_from = executions.id AND heir.running_since IS NULL AND heir.completed_at IS NULL
    )
RETURNING ordinal
