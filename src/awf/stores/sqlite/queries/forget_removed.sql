DELETE FROM removed WHERE ordinal = ?
