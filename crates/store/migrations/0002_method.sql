-- Why a maintenance is carried out as it is, and which settings took effect with it.
ALTER TABLE upkeep.maintenances
    ADD COLUMN method_because   text,
    -- [{"name", "before", "after"}]
    ADD COLUMN settings_applied jsonb;
