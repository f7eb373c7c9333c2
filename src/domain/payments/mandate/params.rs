//! Operations of mandates.

use super::shown::MandateShown;
use crate::call::{Call, Read};
use crate::kinds;
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method};

/// The operations on mandates.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&RETRIEVE];

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_mandate",
    doc: "Retrieves a mandate.",
    method: Method::Get,
    path: "/v1/mandates/{mandate}",
    params: NoParams::SHAPE,
    answers: Answers::One(MandateShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::MANDATE,
            path.id(0, &kinds::MANDATE)?,
            "mandate",
        )))
    },
};
