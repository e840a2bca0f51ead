-- How large the database was when the maintenance was begun, and what was forecast of it then.
ALTER TABLE upkeep.maintenances
    ADD COLUMN size_bytes bigint,
    ADD COLUMN forecast   jsonb;
-- The runs of other databases tell where there is no own one.
CREATE INDEX maintenances_succeeded ON upkeep.maintenances (method, completed_at DESC) WHERE outcome = 'succeeded';
