INSERT INTO executions (
    id, workflow, status, current_step, started_at, updated_at, resumed_from, owner, fence, last_seq
) VALUES (
    :id, :workflow, :status, :current_step, :started_at, :updated_at, :resumed_from, :owner, :owner IS NOT NULL,
    :last_seq
)
ON CONFLICT (id) DO NOTHING
RETURNING ordinal
