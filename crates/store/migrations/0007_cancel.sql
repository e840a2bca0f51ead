-- Who has asked that a run be called off. It is heeded as long as the run can be undone.
ALTER TABLE upkeep.workflows ADD COLUMN cancelled_by text;
