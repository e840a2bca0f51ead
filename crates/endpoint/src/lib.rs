//! Client traffic of PostgreSQL: sessions, holds, moves.
