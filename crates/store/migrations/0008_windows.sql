-- The window that people chose for a database. Without one it has that which follows from its id.
ALTER TABLE upkeep.databases ADD COLUMN maintenance_window jsonb;

-- A maintenance may be planned before it runs: then it has not been started.
ALTER TABLE upkeep.maintenances
    -- All of its reasons; `reason` names the most urgent one.
    ADD COLUMN reason_because           text,
    ADD COLUMN required_by              timestamptz,
    ADD COLUMN scheduled_for            timestamptz,
    ADD COLUMN previously_scheduled_for timestamptz,
    -- What people have to know of when it is planned for.
    ADD COLUMN schedule_note            text,
    -- The request that moved it last: asked again it does not move it again.
    ADD COLUMN moved_by_request         text,
    -- What the window was called when it began.
    ADD COLUMN window_then              text;
CREATE UNIQUE INDEX one_planned_maintenance_per_database
    ON upkeep.maintenances (database_id) WHERE started_at IS NULL;
