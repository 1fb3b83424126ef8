-- What every append changes: no index holds these columns.
UPDATE executions
SET last_seq = :last_seq, updated_at = :updated_at, current_step = :current_step, waiting_for = :waiting_for
WHERE ordinal = :order
