SELECT ordinal
FROM executions INDEXED BY by_status
WHERE status = :status AND ordinal BETWEEN :first AND :last
ORDER BY ordinal DESC
LIMIT :limit
