SELECT digest, text FROM sources WHERE digest IN (SELECT value FROM json_each(?))
