DELETE FROM sources WHERE digest = ?
