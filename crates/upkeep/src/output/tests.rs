//! Transcripts of what is shown.
