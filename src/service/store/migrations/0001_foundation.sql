-- Workspaces, their keys, the audit log and the answers kept for replay. TEXT and BIGINT only (instants are microseconds
-- since 1970, hashes hexadecimal, absence NULL), so that SQLite and PostgreSQL run the same statements.

CREATE TABLE workspaces (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    provider   TEXT   NOT NULL,
    plan       TEXT   NOT NULL CHECK (plan IN ('starter', 'pro', 'org', 'enterprise')),
    -- Every change begins by raising this: it takes the lock on both engines and numbers the changes.
    seq        BIGINT NOT NULL,
    -- The hash of the newest audit entry, the next one's link.
    audit_head TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id             TEXT   NOT NULL PRIMARY KEY,
    workspace_id   TEXT   NOT NULL REFERENCES workspaces (id),
    -- The CHECKs on hash and prefix make it impossible to store a plaintext key: a SHA-256 is 64 hexadecimal digits, and
    -- a key is longer than any prefix.
    hash           TEXT   NOT NULL UNIQUE
                   CHECK (length(hash) = 64 AND ltrim(hash, '0123456789abcdef') = ''),
    prefix         TEXT   NOT NULL CHECK (length(prefix) <= 14),
    name           TEXT   NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    -- The name while the key claims it, else NULL: names are unique among active keys only.
    active_name    TEXT,
    description    TEXT,
    -- Name and description in lower case, for searching and sorting: engines agree on the case of ASCII letters only.
    folded         TEXT   NOT NULL,
    permissions    TEXT   NOT NULL,
    tier           TEXT   NOT NULL CHECK (tier IN ('standard', 'high', 'unmetered')),
    temporary_from BIGINT,
    created_by     TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    last_used_at   BIGINT,
    expires_at     BIGINT,
    revoked_at     BIGINT,
    revoked_reason TEXT,
    UNIQUE (workspace_id, active_name)
);

CREATE INDEX api_keys_by_creation ON api_keys (workspace_id, created_at, id);
CREATE INDEX api_keys_by_name ON api_keys (workspace_id, name);
CREATE INDEX api_keys_by_prefix ON api_keys (workspace_id, prefix);

CREATE TABLE audit_entries (
    workspace_id  TEXT   NOT NULL REFERENCES workspaces (id),
    seq           BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    -- The id of the key that acted, or `operator`; and its name at that time.
    actor         TEXT   NOT NULL,
    actor_name    TEXT   NOT NULL,
    action        TEXT   NOT NULL,
    resource_id   TEXT   NOT NULL,
    details       TEXT   NOT NULL,
    previous_hash TEXT   NOT NULL,
    hash          TEXT   NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);

CREATE TABLE idempotency_records (
    -- SHA-256 over workspace, calling key, method, route and Idempotency-Key: the key itself is not kept.
    lookup       TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    -- SHA-256 of the request's body.
    fingerprint  TEXT   NOT NULL,
    -- The key that the request made or changed, where there is one left.
    key_id       TEXT,
    salt         TEXT   NOT NULL,
    nonce        TEXT   NOT NULL,
    -- The answer, sealed with a key that only the caller's own secret gives.
    sealed       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL
);

CREATE INDEX idempotency_records_by_age ON idempotency_records (workspace_id, created_at);
