DELETE FROM steps WHERE ordinal = ? AND step <= ?
