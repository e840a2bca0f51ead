-- Who is told of what concerns an app, or of everything in the fleet.
CREATE TABLE upkeep.recipients (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- None: of the fleet.
    app_id     uuid REFERENCES upkeep.apps ON DELETE CASCADE,
    -- Of mail, or the URL of a program that is called.
    address    text NOT NULL,
    -- What programs know by that we call; none for mail.
    secret     text,
    added_by   text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX recipients_address
    ON upkeep.recipients (address, coalesce(app_id, '00000000-0000-0000-0000-000000000000'));

-- A notice is addressed once: then it has its words and its deliveries.
ALTER TABLE upkeep.outbox RENAME COLUMN delivered_at TO addressed_at;
ALTER TABLE upkeep.outbox
    ADD COLUMN maintenance_id uuid GENERATED ALWAYS AS ((body ->> 'maintenance')::uuid) STORED,
    -- Made once, so that each try says the same; and what the database was called then.
    ADD COLUMN letter jsonb,
    ADD COLUMN database_name text;
-- Nobody could be told before.
UPDATE upkeep.outbox SET addressed_at = created_at;
CREATE INDEX ON upkeep.outbox (maintenance_id, created_at);
CREATE INDEX ON upkeep.outbox (id) WHERE addressed_at IS NULL;

-- A notice on its way to one recipient.
CREATE TABLE upkeep.deliveries (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notice_id    bigint NOT NULL REFERENCES upkeep.outbox ON DELETE CASCADE,
    -- None: to an owner, or it was removed since.
    recipient_id bigint REFERENCES upkeep.recipients ON DELETE SET NULL,
    address      text NOT NULL,
    state        text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
    tries        integer NOT NULL DEFAULT 0,
    -- Whoever sends it puts it off beforehand, so that nobody else does.
    next_try_at  timestamptz NOT NULL DEFAULT now(),
    -- Why the last try did not succeed.
    trouble      text,
    sent_at      timestamptz,
    UNIQUE (notice_id, address)
);
CREATE INDEX ON upkeep.deliveries (next_try_at) WHERE state = 'pending';
