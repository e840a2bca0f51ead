//! HTTP API: translates, decides nothing.
