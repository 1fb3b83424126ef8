SELECT
    coalesce(sum(usage_input), 0) AS input, coalesce(sum(usage_output), 0) AS output,
    coalesce(sum(usage_cached), 0) AS cached, coalesce(max(usage_estimated), 0) AS estimated, sum(usage_cost) AS cost
FROM executions INDEXED BY by_usage
WHERE usage IS NOT NULL AND status = :status AND ordinal BETWEEN :first AND :last
    AND (:workflow IS NULL OR workflow = :workflow)
