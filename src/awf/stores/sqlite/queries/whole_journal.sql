SELECT seq, at, type, version, body FROM events WHERE ordinal = ? ORDER BY seq
