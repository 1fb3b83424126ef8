-- Executions, in the order of their acceptance: projections of the journals below.
CREATE TABLE executions (
    ordinal       INTEGER PRIMARY KEY,
    id            TEXT    NOT NULL UNIQUE,
    workflow      TEXT    NOT NULL,
    status        TEXT    NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    current_step  TEXT    NOT NULL,
    started_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    running_since INTEGER,
    completed_at  INTEGER,
    duration      INTEGER GENERATED ALWAYS AS (completed_at - started_at) VIRTUAL,
    error         TEXT,
    exit_code     INTEGER,
    waiting_for   TEXT,
    resumed_from  TEXT,
    owner         TEXT,
    fence         INTEGER NOT NULL DEFAULT 0,
    last_seq      INTEGER NOT NULL,
    cancel_asked  INTEGER NOT NULL DEFAULT 0
);

-- Claims, owners and the number of unfinished ones.
CREATE INDEX unfinished ON executions (owner, running_since IS NULL, ordinal)
    WHERE status IN ('pending', 'running');

-- Lists, newest first, and statistics: both read these alone. A list without a status merges one range per status.
CREATE INDEX by_status ON executions (status, ordinal, duration);
CREATE INDEX by_workflow ON executions (workflow, status, ordinal, duration);

-- started_at never decreases along ordinal, so that two look-ups turn a span of time into a span of ordinals.
CREATE INDEX by_start ON executions (started_at);

-- The journals: the only truth.
CREATE TABLE events (
    ordinal INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    step    INTEGER,
    type    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    body    BLOB    NOT NULL,
    PRIMARY KEY (ordinal, seq)
) WITHOUT ROWID;

-- Steps, by their latest attempt: projections of the journals.
CREATE TABLE steps (
    ordinal      INTEGER NOT NULL,
    step         INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    path         TEXT    NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('running', 'completed', 'failed')),
    attempt      INTEGER NOT NULL,
    exit_code    INTEGER,
    started_at   INTEGER NOT NULL,
    completed_at INTEGER,
    error        TEXT,
    reused       INTEGER NOT NULL,
    command      TEXT    NOT NULL,
    first_seq    INTEGER NOT NULL,
    last_seq     INTEGER NOT NULL,
    PRIMARY KEY (ordinal, step)
) WITHOUT ROWID;

-- What somebody wants of an execution and its owner has not folded into the journal yet.
CREATE TABLE intents (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    ordinal INTEGER NOT NULL,
    kind    TEXT    NOT NULL CHECK (kind IN ('cancel', 'respond')),
    data    BLOB    NOT NULL,
    at      INTEGER NOT NULL
);
CREATE INDEX intents_of ON intents (ordinal);

-- Texts that executions pin, by digest, shared between them.
CREATE TABLE sources (
    digest TEXT PRIMARY KEY,
    text   TEXT NOT NULL
);

-- Real values of secret inputs: here and nowhere else.
CREATE TABLE secrets (
    ordinal INTEGER PRIMARY KEY,
    data    BLOB NOT NULL
);
