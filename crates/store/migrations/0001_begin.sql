-- Everything Upkeep knows, in a schema of its own.

-- Grows with every claim of a workflow; agents and endpoints refuse a lower number than they saw.
CREATE SEQUENCE upkeep.fence AS bigint;

-- The one host whose agent this state speaks of. More than one is for later; until then a second
-- one must not act on the first one's rows.
CREATE TABLE upkeep.hosts (
    only_one    boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    id          uuid NOT NULL
);

CREATE TABLE upkeep.accounts (
    id          uuid PRIMARY KEY,
    email       text NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- A token is 256 random bits; only its SHA-256 is kept.
CREATE TABLE upkeep.tokens (
    sha256      bytea PRIMARY KEY CHECK (length(sha256) = 32),
    account_id  uuid NOT NULL REFERENCES upkeep.accounts ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE upkeep.apps (
    id          uuid PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    maintenance boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE upkeep.databases (
    id               uuid PRIMARY KEY,
    app_id           uuid NOT NULL REFERENCES upkeep.apps,
    name             text NOT NULL,
    plan             text NOT NULL,
    -- Config var without its `_URL`, such as DATABASE or UPKEEP_POSTGRESQL_ROSE.
    attachment       text NOT NULL,
    dbname           text NOT NULL UNIQUE,
    credential       jsonb NOT NULL,
    state            text NOT NULL CHECK (state IN ('provisioning', 'provisioned', 'deprovisioning', 'failed')),
    primary_instance uuid,
    -- Fence under which the route was last set.
    route_fence      bigint NOT NULL DEFAULT 0,
    request_id       text UNIQUE,
    created_at       timestamptz NOT NULL DEFAULT now()
);
-- What could not be made keeps its row, so that people can read why, but not its names.
CREATE UNIQUE INDEX databases_name ON upkeep.databases (name) WHERE state <> 'failed';
CREATE UNIQUE INDEX databases_attachment ON upkeep.databases (app_id, attachment) WHERE state <> 'failed';

CREATE TABLE upkeep.instances (
    id           uuid PRIMARY KEY,
    database_id  uuid NOT NULL REFERENCES upkeep.databases ON DELETE CASCADE,
    host_id      uuid NOT NULL,
    release      text NOT NULL,
    role         text NOT NULL CHECK (role IN ('primary', 'replacement', 'retired')),
    -- What an agent last saw of it.
    observed     jsonb,
    observed_at  timestamptz,
    -- A retired instance is removed from then on.
    retire_at    timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON upkeep.instances (database_id);

ALTER TABLE upkeep.databases
    ADD FOREIGN KEY (primary_instance) REFERENCES upkeep.instances (id) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE upkeep.maintenances (
    id             uuid PRIMARY KEY,
    database_id    uuid NOT NULL REFERENCES upkeep.databases ON DELETE CASCADE,
    status         text NOT NULL,
    method         text NOT NULL,
    reason         text NOT NULL,
    release_before text NOT NULL,
    release_after  text NOT NULL,
    outcome        text CHECK (outcome IN ('succeeded', 'rolled_back', 'stuck')),
    -- Why it did not succeed, for people.
    sentence       text,
    felt           jsonb,
    steps_ms       jsonb,
    request_id     text UNIQUE,
    created_at     timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    completed_at   timestamptz
);
CREATE INDEX ON upkeep.maintenances (database_id, created_at DESC);

CREATE TABLE upkeep.workflows (
    id             uuid PRIMARY KEY,
    database_id    uuid NOT NULL REFERENCES upkeep.databases ON DELETE CASCADE,
    maintenance_id uuid REFERENCES upkeep.maintenances ON DELETE CASCADE,
    procedure      text NOT NULL,
    step           text NOT NULL,
    -- Counts the runs of steps; (workflow, step, visit) names a command.
    visit          integer NOT NULL DEFAULT 1,
    -- Failed visits of the present step.
    tries          integer NOT NULL DEFAULT 0,
    step_began_at  timestamptz NOT NULL DEFAULT now(),
    state          jsonb NOT NULL,
    ended_as       text CHECK (ended_as IN ('succeeded', 'rolled_back', 'stuck')),
    failure        text,
    owner          text,
    generation     bigint NOT NULL DEFAULT 0,
    leased_until   timestamptz,
    wake_at        timestamptz NOT NULL DEFAULT now(),
    created_at     timestamptz NOT NULL DEFAULT now(),
    ended_at       timestamptz
);
-- One unfinished piece of work per database. What is stuck is unfinished: a person has to look first.
CREATE UNIQUE INDEX one_unfinished_workflow_per_database
    ON upkeep.workflows (database_id) WHERE ended_as IS NULL OR ended_as = 'stuck';
CREATE INDEX ON upkeep.workflows (wake_at) WHERE ended_as IS NULL;

CREATE TABLE upkeep.events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow_id uuid NOT NULL REFERENCES upkeep.workflows ON DELETE CASCADE,
    database_id uuid NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    step        text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('started', 'waiting', 'done', 'again', 'failed', 'ended')),
    sentence    text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX ON upkeep.events (database_id, id);
CREATE INDEX ON upkeep.events (workflow_id, id);

-- What is to be told to people: written with what it tells. Nothing delivers it yet; notices will.
CREATE TABLE upkeep.outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow_id  uuid,
    database_id  uuid NOT NULL,
    kind         text NOT NULL,
    body         jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz
);
