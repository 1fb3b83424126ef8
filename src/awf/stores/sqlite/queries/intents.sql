SELECT intents.id, executions.id AS execution, intents.kind, intents.data, intents.at, executions.owner
FROM intents JOIN executions USING (ordinal)
ORDER BY intents.id
