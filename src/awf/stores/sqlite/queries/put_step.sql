INSERT OR REPLACE INTO steps (
    ordinal, step, name, path, status, attempt, exit_code, started_at, completed_at, error, reused, command,
    warnings, note, usage, first_seq, last_seq
) VALUES (
    :ordinal, :step, :name, :path, :status, :attempt, :exit_code, :started_at, :completed_at, :error, :reused, :command,
    :warnings, :note, :usage, :first_seq, :last_seq
)
