-- What stood in the way of a maintenance, by when it was looked at; and what a person waived, and why.
ALTER TABLE upkeep.maintenances
    ADD COLUMN preflight jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN waivers jsonb NOT NULL DEFAULT '[]';
