INSERT INTO intents (ordinal, kind, data, at) VALUES (?, ?, ?, ?)
