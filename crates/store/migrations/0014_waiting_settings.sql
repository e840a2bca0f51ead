-- Settings that are changed and wait for a restart of the server: since when they have waited, and when it said so
-- last. A server that does not answer says nothing of them.
ALTER TABLE upkeep.instances
    ADD COLUMN waiting_settings text[] NOT NULL DEFAULT '{}',
    ADD COLUMN waiting_since    timestamptz,
    ADD COLUMN waiting_seen_at  timestamptz;
