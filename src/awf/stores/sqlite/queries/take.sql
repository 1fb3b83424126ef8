UPDATE executions SET owner = :owner, fence = fence + 1, parked = 0, wake_at = NULL
WHERE ordinal = :ordinal
RETURNING fence
