//! Developers only: load that promises, ledgers, real-PostgreSQL fixtures.
