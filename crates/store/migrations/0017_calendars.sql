-- Calendars that others subscribe to. Whoever has the token may read: it is known by its hash only.
CREATE TABLE upkeep.calendars (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- None: of the fleet.
    app_id       uuid REFERENCES upkeep.apps ON DELETE CASCADE,
    token_sha256 bytea NOT NULL UNIQUE,
    added_by     text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    request_id   text UNIQUE
);
