SELECT ordinal
FROM executions INDEXED BY by_status
WHERE status = :status
    AND ordinal < (SELECT max(ordinal) FROM executions)
    AND NOT EXISTS (
        SELECT 1
        FROM executions AS heir INDEXED BY heirs
        WHERE heir.resumed_from = executions.id AND heir.running_since IS NULL AND heir.completed_at IS NULL
    )
ORDER BY ordinal
LIMIT :limit
