INSERT INTO secrets (ordinal, data) VALUES (?, ?)
