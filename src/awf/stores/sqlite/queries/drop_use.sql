DELETE FROM source_uses WHERE digest = ?
