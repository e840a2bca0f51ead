//! Makes things happen: workflows and sweeps.
