//! Operations on sources.

use super::{CreateSource, RetrieveSource, SourceShown, UpdateSource};
use crate::call::{Call, Command, Read};
use crate::kinds;
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::HasParams;
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method};

/// The operations on sources.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &UPDATE];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_source",
    doc: "Makes a source of a card's details or of a token.",
    method: Method::Post,
    path: "/v1/sources",
    params: CreateSource::SHAPE,
    answers: Answers::One(SourceShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreateSource(take_boxed(form)?))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_source",
    doc: "Retrieves a source.",
    method: Method::Get,
    path: "/v1/sources/{source}",
    params: RetrieveSource::SHAPE,
    answers: Answers::One(SourceShown::SHAPE),
    parse: |path, form| {
        take::<RetrieveSource>(form)?;
        let id = path.id(0, &kinds::SOURCE)?;
        Ok(Call::Read(Read::Object(&kinds::SOURCE, id, "source")))
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_source",
    doc: "Changes a source.",
    method: Method::Post,
    path: "/v1/sources/{source}",
    params: UpdateSource::SHAPE,
    answers: Answers::One(SourceShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        let id = path.id(0, &kinds::SOURCE)?;
        Ok(Call::Write(Command::UpdateSource(id, Box::new(asked))))
    },
};
