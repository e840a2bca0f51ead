-- A database may follow another one: a copy of it that takes sessions that read.
ALTER TABLE upkeep.databases
    -- Its leader. One that could not be made keeps its row, but holds nobody up.
    ADD COLUMN follows uuid REFERENCES upkeep.databases (id) ON DELETE SET NULL,
    -- What it is called on its server: a follower has its leader's name there.
    ADD COLUMN server_dbname text;
UPDATE upkeep.databases SET server_dbname = dbname;
ALTER TABLE upkeep.databases ALTER COLUMN server_dbname SET NOT NULL;
CREATE INDEX ON upkeep.databases (follows);

-- The instance of a follower that its readers are on; `instances.follows` says whom it streams from.
ALTER TABLE upkeep.instances
    DROP CONSTRAINT instances_role_check,
    ADD CONSTRAINT instances_role_check
        CHECK (role IN ('primary', 'follower', 'replacement', 'standby', 'retired'));

-- A leader and its followers are worked on one after the other, in the order in which it was begun.
ALTER TABLE upkeep.workflows
    -- The leader's id, or the database's own: as it was when the work was begun.
    ADD COLUMN family uuid,
    -- Drawn while the row of the family's leader is locked.
    ADD COLUMN ticket bigint GENERATED ALWAYS AS IDENTITY;
UPDATE upkeep.workflows SET family = database_id;
ALTER TABLE upkeep.workflows ALTER COLUMN family SET NOT NULL;
CREATE INDEX ON upkeep.workflows (family, ticket) WHERE ended_as IS NULL OR ended_as = 'stuck';
