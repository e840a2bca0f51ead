-- Who asked for a run: a person, or Upkeep itself when the window of what was planned opened.
ALTER TABLE upkeep.maintenances ADD COLUMN begun_by text;
