//! Everything about the embedded store that needs a directory, in one binary.

mod conformance;
mod crash;
mod damage;
mod directory;
mod disks;
mod fatal;
mod format;
mod index;
mod index_faults;
mod model;
mod trail;
mod world;
