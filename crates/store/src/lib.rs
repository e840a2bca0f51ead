//! Durable state: the only place with SQL about ourselves.
