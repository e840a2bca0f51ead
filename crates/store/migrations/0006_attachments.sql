-- An app has a database under one name or several: each is a row, and a config var of the app.
CREATE TABLE upkeep.attachments (
    id          uuid PRIMARY KEY,
    app_id      uuid NOT NULL REFERENCES upkeep.apps,
    database_id uuid NOT NULL REFERENCES upkeep.databases ON DELETE CASCADE,
    -- Config var without its `_URL`, such as DATABASE or HEROKU_POSTGRESQL_ROSE.
    name        text NOT NULL,
    request_id  text UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT attachments_name UNIQUE (app_id, name)
);
CREATE INDEX ON upkeep.attachments (database_id);

INSERT INTO upkeep.attachments (id, app_id, database_id, name, created_at)
SELECT pg_catalog.gen_random_uuid(), app_id, id, attachment, created_at
FROM upkeep.databases WHERE state IN ('provisioning', 'provisioned');

-- What an app was told, and when: a version for each change of its config vars. Heroku calls them releases.
CREATE TABLE upkeep.app_versions (
    id          uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    app_id      uuid NOT NULL REFERENCES upkeep.apps ON DELETE CASCADE,
    version     integer NOT NULL,
    description text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (app_id, version)
);
-- Number of its latest version.
ALTER TABLE upkeep.apps ADD COLUMN version integer NOT NULL DEFAULT 1;

INSERT INTO upkeep.app_versions (app_id, version, description, created_at)
SELECT id, 1, 'Initial release', created_at FROM upkeep.apps;
INSERT INTO upkeep.app_versions (app_id, version, description, created_at)
SELECT t.app_id, 1 + pg_catalog.row_number() OVER (PARTITION BY t.app_id ORDER BY t.created_at, t.database_id),
       'Attach ' || t.name || ' (@ref:' || d.name || ')', t.created_at
FROM upkeep.attachments t JOIN upkeep.databases d ON d.id = t.database_id;
UPDATE upkeep.apps a SET version = (SELECT max(version) FROM upkeep.app_versions v WHERE v.app_id = a.id);

ALTER TABLE upkeep.databases DROP COLUMN attachment;
