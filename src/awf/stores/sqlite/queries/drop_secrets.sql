DELETE FROM secrets WHERE ordinal = ?
