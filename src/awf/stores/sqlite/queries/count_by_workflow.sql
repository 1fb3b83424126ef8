SELECT count(*), coalesce(sum(duration), 0)
FROM executions INDEXED BY by_workflow
WHERE workflow = :workflow AND status = :status AND ordinal BETWEEN :first AND :last
