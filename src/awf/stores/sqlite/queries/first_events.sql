SELECT seq AS number, length(body) AS size FROM events WHERE ordinal = ? ORDER BY seq LIMIT ?
