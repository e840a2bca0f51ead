-- Maintenances that people require. One is met by a run that was begun after it and succeeded.
CREATE TABLE upkeep.requirements (
    database_id uuid PRIMARY KEY REFERENCES upkeep.databases ON DELETE CASCADE,
    because     text NOT NULL,
    emergency   boolean NOT NULL,
    required_by text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
