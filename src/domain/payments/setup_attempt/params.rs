//! Parameters and operations of setup attempts.

use super::shown::SetupAttemptShown;
use crate::call::{Call, ListQuery};
use crate::kinds::{self, SetupAttemptId, SetupIntentId};
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, Range};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method, Params};

/// Which setup attempts to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListSetupAttempts {
    /// Only attempts made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only attempts newer than this one.
    pub ending_before: Option<SetupAttemptId>,
    /// Most attempts of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// The setup intent whose attempts are listed.
    #[param(required)]
    pub setup_intent: Option<SetupIntentId>,
    /// Only attempts older than this one.
    pub starting_after: Option<SetupAttemptId>,
}

/// The operations on setup attempts.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&LIST];

static LIST: Endpoint<Call> = Endpoint {
    name: "list_setup_attempts",
    doc: "Lists the attempts of a setup intent, newest first.",
    method: Method::Get,
    path: "/v1/setup_attempts",
    params: ListSetupAttempts::SHAPE,
    answers: Answers::Many(SetupAttemptShown::SHAPE),
    parse: |_, form| {
        let asked: ListSetupAttempts = take(form)?;
        ListQuery::of(&kinds::SETUP_ATTEMPT, "/v1/setup_attempts")
            .created(asked.created)
            .under(&kinds::SETUP_INTENT, asked.setup_intent.map(|id| id.0))
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};
