-- The hidden standby of a database with high availability.
ALTER TABLE upkeep.instances
    DROP CONSTRAINT instances_role_check,
    ADD CONSTRAINT instances_role_check CHECK (role IN ('primary', 'replacement', 'standby', 'retired')),
    -- Whom a standby streams from.
    ADD COLUMN follows uuid REFERENCES upkeep.instances (id) ON DELETE SET NULL,
    -- Since when a standby has been looked at without being seen to stream.
    ADD COLUMN silent_since timestamptz;
