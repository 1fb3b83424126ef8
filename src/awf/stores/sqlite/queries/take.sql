UPDATE executions SET owner = :owner, fence = fence + 1 WHERE ordinal = :ordinal RETURNING fence
