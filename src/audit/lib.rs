//! Verify: recomputes everything from the journal alone.
