UPDATE executions SET cancel_asked = 1 WHERE ordinal = ?
