//! Deliveries to receivers that do what receivers should not, and URLs that lead where none should go.

mod addresses;
mod answers;
mod authority;
mod certificates;
mod made;
mod proxy;
mod receiver;
mod reuse;
mod urls;
