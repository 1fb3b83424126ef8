INSERT INTO sources (digest, text) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING
