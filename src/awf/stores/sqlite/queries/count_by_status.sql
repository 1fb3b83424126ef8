SELECT count(*), coalesce(sum(duration), 0)
FROM executions INDEXED BY by_status
WHERE status = :status AND ordinal BETWEEN :first AND :last
