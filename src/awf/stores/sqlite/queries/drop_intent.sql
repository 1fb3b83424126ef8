DELETE FROM intents WHERE id = ? AND ordinal = ?
