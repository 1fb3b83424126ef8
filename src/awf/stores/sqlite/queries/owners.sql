SELECT DISTINCT owner
FROM executions INDEXED BY unfinished
WHERE status IN ('pending', 'running') AND owner IS NOT NULL
