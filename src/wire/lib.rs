//! The API as bytes: forms in, JSON out, errors, versions, documents. Knows the declarations of resources and no
//! resource by name; knows no socket.
//!
//! A request is parsed by [`Edge`] into one of the domain's calls; an answer is written by [`Rendering`]. Both read the
//! declarations of the domain's resources, so a new resource needs no change here. [`openapi()`] and
//! [`reference_page`] are documents read off the same declarations. [`authentication`] is the page of test cards whose
//! holder must prove who they are, [`receipt`] that of a paid charge, [`request_log`]
//! that of a request.
//!
//! Reading order: [`edge`], [`forms`], [`wording`], [`expand`], [`render`], [`versions`], [`errors`]; then the documents,
//! [`openapi`](mod@openapi) and [`reference`](mod@reference).

pub mod authentication;
pub mod browser;
mod catalogue;
pub mod edge;
pub mod errors;
pub mod expand;
pub mod forms;
mod html;
pub mod openapi;
pub mod receipt;
pub mod reference;
pub mod render;
pub mod request_log;
pub mod versions;
pub mod wording;

pub use edge::{Edge, Hold, Match, Parsed};
pub use openapi::openapi;
pub use reference::reference_page;
pub use render::{FoundPage, Rendering, shows_thin_events};
