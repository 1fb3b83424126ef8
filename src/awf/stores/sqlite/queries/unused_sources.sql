SELECT digest FROM source_uses WHERE ordinal < (SELECT min(ordinal) FROM executions) ORDER BY ordinal LIMIT ?
