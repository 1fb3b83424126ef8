DELETE FROM events WHERE ordinal = ? AND seq <= ?
