-- What agents have cost (a JSON object; NULL: nothing): of a step in all its attempts, of an execution in all its steps.
ALTER TABLE steps ADD COLUMN usage TEXT;
ALTER TABLE executions ADD COLUMN usage TEXT;
ALTER TABLE executions ADD COLUMN usage_input INTEGER GENERATED ALWAYS AS (json_extract(usage, '$.input')) VIRTUAL;
ALTER TABLE executions ADD COLUMN usage_output INTEGER GENERATED ALWAYS AS (json_extract(usage, '$.output')) VIRTUAL;
ALTER TABLE executions ADD COLUMN usage_cached INTEGER GENERATED ALWAYS AS (json_extract(usage, '$.cached')) VIRTUAL;
ALTER TABLE executions ADD COLUMN usage_estimated INTEGER
    GENERATED ALWAYS AS (json_extract(usage, '$.estimated')) VIRTUAL;
ALTER TABLE executions ADD COLUMN usage_cost REAL GENERATED ALWAYS AS (json_extract(usage, '$.cost')) VIRTUAL;

-- Statistics read this alone; executions without agents are not in it.
CREATE INDEX by_usage ON executions (
    status, ordinal, workflow, usage_input, usage_output, usage_cached, usage_estimated, usage_cost
) WHERE usage IS NOT NULL;
