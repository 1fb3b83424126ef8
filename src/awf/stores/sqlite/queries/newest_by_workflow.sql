SELECT ordinal
FROM executions INDEXED BY by_workflow
WHERE workflow = :workflow AND status = :status AND ordinal BETWEEN :first AND :last
ORDER BY ordinal DESC
LIMIT :limit
