//! The embedded store: local segment files, one committer.
