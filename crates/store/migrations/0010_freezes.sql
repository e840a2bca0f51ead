-- Times in which nothing is maintained: of one app, or of the whole fleet.
CREATE TABLE upkeep.freezes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- None: of the fleet.
    app_id     uuid REFERENCES upkeep.apps ON DELETE CASCADE,
    period     jsonb NOT NULL,
    zone       text NOT NULL,
    because    text NOT NULL,
    added_by   text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
