-- Limits, credits, usage, members, features, and what keeps replicas of one database in step.

-- What a workspace has agreed on instead of its plan's own figures; NULL where it has not.
ALTER TABLE workspaces ADD COLUMN daily_limit BIGINT;
ALTER TABLE workspaces ADD COLUMN minute_limit BIGINT;
-- Credits granted at the start of each month.
ALTER TABLE workspaces ADD COLUMN monthly_credits BIGINT NOT NULL DEFAULT 1000;
-- Where the audit chain begins since older entries were removed: the number and the hash of the newest one removed.
ALTER TABLE workspaces ADD COLUMN audit_pruned_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN audit_pruned_hash TEXT NOT NULL DEFAULT '';

-- The role of the member whose credential a key is; NULL for any other key.
ALTER TABLE api_keys ADD COLUMN member_role TEXT;

CREATE TABLE workspace_features (
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    name         TEXT   NOT NULL,
    enabled_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, name)
);

CREATE TABLE limit_windows (
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    -- A UTC date or a UTC minute: 2026-11-21, 2026-11-21T10:43.
    period       TEXT   NOT NULL,
    -- Calls handed out to replicas: those made, and those that a replica may still make.
    leased       BIGINT NOT NULL CHECK (leased >= 0),
    PRIMARY KEY (workspace_id, period)
);

CREATE TABLE credit_grants (
    id           TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    kind         TEXT   NOT NULL CHECK (kind IN ('subscription', 'purchased', 'bonus')),
    -- The month of a subscription's grant, 2026-11: each month is granted once.
    month        TEXT,
    amount       BIGINT NOT NULL CHECK (amount > 0),
    -- Credits handed out to replicas: those spent, and those that a replica may still spend.
    leased       BIGINT NOT NULL CHECK (leased BETWEEN 0 AND amount),
    note         TEXT,
    granted_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    UNIQUE (workspace_id, month)
);

CREATE INDEX credit_grants_by_workspace ON credit_grants (workspace_id);

CREATE TABLE usage_days (
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    -- A UTC date.
    day          TEXT   NOT NULL,
    key_id       TEXT   NOT NULL,
    -- GET /v1/contacts/:id
    endpoint     TEXT   NOT NULL,
    calls        BIGINT NOT NULL,
    errors       BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, day, key_id, endpoint)
);

-- Replicas that answer from memory, and how far each has followed the changes.
CREATE TABLE replicas (
    id           TEXT   NOT NULL PRIMARY KEY,
    -- Raised with every sign of life.
    beats        BIGINT NOT NULL,
    -- The newest change this replica has dropped from its memory.
    acknowledged BIGINT NOT NULL
);

-- Changes to what replicas hold in memory. The head's row lock makes the numbers appear in their order.
CREATE TABLE change_head (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL
);

INSERT INTO change_head (id, number) VALUES (1, 0);

CREATE TABLE changes (
    number       BIGINT NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL,
    -- The hash of the key that changed; NULL where the whole workspace did.
    key_hash     TEXT
);

-- What the data routes keep: contacts, lists, campaigns and the tasks of the assistant, each a JSON object.
CREATE TABLE records (
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    collection   TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    content      TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, collection, id)
);

CREATE INDEX records_by_creation ON records (workspace_id, collection, created_at, id);
CREATE INDEX audit_entries_by_resource ON audit_entries (workspace_id, resource_id, seq);
