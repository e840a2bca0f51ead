//! The HTTP contract: paths, JSON bodies, error ids, typed client.
