DELETE FROM intents WHERE ordinal = ?
