-- A wish that is asked again with the same request id is answered, and not done twice.
ALTER TABLE upkeep.freezes ADD COLUMN request_id text UNIQUE;
ALTER TABLE upkeep.recipients ADD COLUMN request_id text UNIQUE;
ALTER TABLE upkeep.requirements ADD COLUMN request_id text;
