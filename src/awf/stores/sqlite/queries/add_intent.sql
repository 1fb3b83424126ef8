INSERT INTO intents (ordinal, kind, data, at, question) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
