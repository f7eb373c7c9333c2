//! The vocabulary, seen from a crate that declares a resource with it.

mod expand;
mod params;
mod records;
mod sample;
mod shown;
