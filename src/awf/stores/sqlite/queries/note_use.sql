INSERT INTO source_uses (digest, ordinal) VALUES (?, ?)
ON CONFLICT (digest) DO UPDATE SET ordinal = max(ordinal, excluded.ordinal)
