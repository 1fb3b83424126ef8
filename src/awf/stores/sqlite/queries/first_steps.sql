SELECT step AS number, length(command) AS size FROM steps WHERE ordinal = ? ORDER BY step LIMIT ?
