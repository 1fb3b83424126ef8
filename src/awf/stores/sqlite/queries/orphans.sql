-- Each look jumps from one execution's first entry to the next one's: journals are long.
WITH RECURSIVE
journals (ordinal) AS (
    SELECT min(ordinal) FROM events
    UNION ALL
    SELECT (SELECT min(ordinal) FROM events WHERE events.ordinal > journals.ordinal)
    FROM journals
    WHERE ordinal IS NOT NULL
),
stepped (ordinal) AS (
    SELECT min(ordinal) FROM steps
    UNION ALL
    SELECT (SELECT min(ordinal) FROM steps WHERE steps.ordinal > stepped.ordinal)
    FROM stepped
    WHERE ordinal IS NOT NULL
),
owners (what, ordinal) AS (
    SELECT 'events', ordinal FROM journals
    UNION ALL
    SELECT 'steps', ordinal FROM stepped
    UNION ALL
    SELECT 'secrets', ordinal FROM secrets
    UNION ALL
    SELECT 'intents', ordinal FROM intents
)
SELECT what, ordinal
FROM owners
WHERE
    ordinal IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM executions WHERE executions.ordinal = owners.ordinal)
    AND NOT EXISTS (SELECT 1 FROM removed WHERE removed.ordinal = owners.ordinal)
