//! The body of a request within its bounds, and the form in it.

use super::Api;
use crate::answer::LimitReason;
use crate::body::{Body, BodyProblem, Incoming, read_body};
use crate::head::{Head, Known};
use crate::json_form;
use crate::multipart;
use crate::refused::Refused;
use crate::watch::Watch;
use actix_web::http::Method;
use std::borrow::Cow;
use tollgate_domain::files::file::FILE_BYTES_MAX;
use tollgate_wire::errors;

/// The content type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

impl Api {
    /// Longest body of a request: uploads may be longer than others.
    pub(super) fn body_bytes_max(&self, http: &Head, length: Option<u64>) -> usize {
        let usual = self.services.bounds.body_bytes_max;
        if *http.method() != Method::POST || length.is_some_and(|length| length <= usual as u64) {
            return usual;
        }
        let matched = self.services.edge.route("POST", http.path());
        match matched.and_then(|matched| multipart::file_param(matched.endpoint())) {
            Some(_) => usual.max((FILE_BYTES_MAX + multipart::OVERHEAD_BYTES_MAX) as usize),
            None => usual,
        }
    }

    /// Reads the body, at most so many bytes of it.
    pub(super) async fn body(
        &self,
        incoming: &mut Incoming<'_>,
        length: Option<u64>,
        bytes_max: usize,
        watch: &Watch,
    ) -> Result<Body, Refused> {
        let read = read_body(incoming, length, bytes_max, &self.memory, watch).await;
        read.map_err(|problem| match problem {
            BodyProblem::TooLarge => Refused::ending(errors::body_too_large()),
            BodyProblem::TooSlow => Refused::ending(errors::request_timeout()),
            BodyProblem::Broken => Refused::ending(errors::malformed("the body ended before its announced length.")),
            BodyProblem::NoMemory => Refused::limited(errors::overloaded(), LimitReason::Concurrency, 1),
        })
    }
}

/// The length of the body in bytes, where the request announces it.
pub(super) fn content_length(http: &Head) -> Option<u64> {
    http.text(Known::ContentLength)?.trim().parse().ok()
}

/// The pairs of a request: the query of a read; the body of a change, after a query if there is one.
pub(super) fn form_of<'a>(http: &'a Head, posts: bool, body: &'a [u8]) -> Result<Cow<'a, [u8]>, Refused> {
    let query = http.query().as_bytes();
    if !posts {
        return Ok(Cow::Borrowed(query));
    }
    if body.is_empty() {
        return Ok(Cow::Borrowed(query));
    }
    if let Some(encoding) = http.get(Known::ContentEncoding).filter(|value| *value != b"identity") {
        let given = format!("content-encoding {}", String::from_utf8_lossy(encoding));
        return Err(errors::content_type(&given).into());
    }
    if json_form::is_second_version(http.path()) {
        return of_second_version(http, body);
    }
    // As nearly every client writes it, or in any other way.
    if http.get(Known::ContentType) != Some(FORM.as_bytes()) {
        let content_type = http.content_type();
        if !content_type.is_empty() && !content_type.eq_ignore_ascii_case(FORM) {
            return Err(errors::content_type(content_type).into());
        }
    }
    if query.is_empty() {
        Ok(Cow::Borrowed(body))
    } else {
        Ok(Cow::Owned([query, b"&", body].concat()))
    }
}

/// The pairs that a body of the second version of the API says.
fn of_second_version(http: &Head, body: &[u8]) -> Result<Cow<'static, [u8]>, Refused> {
    let content_type = http.content_type();
    if !json_form::is_json(http.text(Known::ContentType).unwrap_or_default()) {
        return Err(errors::content_type_of_second_version(content_type).into());
    }
    let form = json_form::form_of(body).map_err(errors::malformed)?;
    Ok(Cow::Owned(form))
}
