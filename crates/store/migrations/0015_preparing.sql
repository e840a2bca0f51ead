-- A run that was begun before its window goes on not later than that, so that it ends within the window.
ALTER TABLE upkeep.maintenances ADD COLUMN go_on_until timestamptz;
