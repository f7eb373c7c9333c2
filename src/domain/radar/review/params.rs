//! Parameters and operations of reviews.

use super::shown::ReviewShown;
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, ReviewId};
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, NoParams, Range};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method, Params};

/// Which reviews to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListReviews {
    /// Only reviews made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only reviews newer than this one.
    pub ending_before: Option<ReviewId>,
    /// Most reviews of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only reviews older than this one.
    pub starting_after: Option<ReviewId>,
}

/// The operations on reviews.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&RETRIEVE, &APPROVE, &LIST];

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_review",
    doc: "Retrieves a review.",
    method: Method::Get,
    path: "/v1/reviews/{review}",
    params: NoParams::SHAPE,
    answers: Answers::One(ReviewShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::REVIEW,
            path.id(0, &kinds::REVIEW)?,
            "review",
        )))
    },
};

static APPROVE: Endpoint<Call> = Endpoint {
    name: "approve_review",
    doc: "Closes a review: the payment is fine.",
    method: Method::Post,
    path: "/v1/reviews/{review}/approve",
    params: NoParams::SHAPE,
    answers: Answers::One(ReviewShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Write(Command::ApproveReview(path.id(0, &kinds::REVIEW)?)))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_reviews",
    doc: "Lists reviews, newest first.",
    method: Method::Get,
    path: "/v1/reviews",
    params: ListReviews::SHAPE,
    answers: Answers::Many(ReviewShown::SHAPE),
    parse: |_, form| {
        let asked: ListReviews = take(form)?;
        ListQuery::of(&kinds::REVIEW, "/v1/reviews")
            .created(asked.created)
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};
