//! The vocabulary in which a resource is declared.
//!
//! A resource is written down once, in one folder of the domain, as three lists: what is *sent* ([`Params`]), what is
//! *kept* ([`Record`]) and what is *shown* ([`Shown`]). Each list is a plain struct with a derive that yields a
//! positional view and a static shape; the form decoder, the renderer, the record codec, the diff, the OpenAPI document
//! and the reference page are interpreters of those shapes. This room knows no resource, no socket and no money.
//!
//! Reading order: [`id`], [`names`], [`record`], [`shown`], [`params`], [`operation`], [`version`].

// Derived code says `::tollgate_resource`, also in the tests of this crate.
extern crate self as tollgate_resource;

pub mod expand;
pub mod id;
pub mod lookup;
pub mod metadata;
pub mod names;
pub mod notes;
pub mod operation;
pub mod params;
pub mod record;
pub mod shown;
mod values;
pub mod version;

pub use expand::Expand;
pub use id::{Id, Kind};
pub use metadata::{Metadata, MetadataUpdate};
pub use names::Names;
pub use operation::{Endpoint, Method, PathArgs};
pub use params::{ParamField, ParamKind, ParamValue, Params, ParamsShape, Problem, Step, Update};
pub use record::{Record, RecordError};
pub use shown::{FieldShape, Ref, Shape, Shown, ShownValue, SubList, Value, ValueKind};
pub use tollgate_resource_derive::{Names, Params, Record, Shown};
pub use version::Version;
