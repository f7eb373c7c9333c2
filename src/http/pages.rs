//! Documents made from the declarations, once at start.

use bytes::Bytes;
use tollgate_domain::Call;
use tollgate_resource::Endpoint;

/// The API's own documents.
pub(crate) struct Pages {
    /// The OpenAPI document.
    pub(crate) openapi: Bytes,
    /// The reference page.
    pub(crate) reference: Bytes,
}

impl Pages {
    /// Documents of these operations.
    pub(crate) fn new(endpoints: &'static [&'static Endpoint<Call>]) -> Pages {
        Pages {
            openapi: openapi_text(endpoints).into(),
            reference: tollgate_wire::reference_page(endpoints).into(),
        }
    }
}

/// The OpenAPI document as it is served and printed.
pub fn openapi_text(endpoints: &'static [&'static Endpoint<Call>]) -> String {
    let document = tollgate_wire::openapi(endpoints);
    let mut text = serde_json::to_string_pretty(&document).expect("a document of text and numbers can be written");
    text.push('\n');
    text
}
