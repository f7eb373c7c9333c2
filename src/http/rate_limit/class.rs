//! Classes of operations: what a request costs, and how many of its kind an account may make.

use super::Rate;
use tollgate_domain::Call;
use tollgate_resource::operation::Answers;
use tollgate_resource::{Endpoint, Method, Names};

/// What kind of operation it is, as far as limits care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum Class {
    /// Looks at one object.
    Read,
    /// Looks at a page of a list.
    List,
    /// Looks for objects by their contents.
    Search,
    /// Changes something.
    Write,
    /// Takes a file.
    Upload,
}

/// How many classes there are.
pub const CLASSES: usize = Class::ALL.len();

/// What a class costs, and its own rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassLimit {
    /// Tokens that a request takes from every bucket, at least 1.
    pub cost: u32,
    /// Tokens of this class that an account may use, besides what its tier allows; no bound of its own without.
    pub rate: Option<Rate>,
}

impl ClassLimit {
    /// One token and no bound of its own.
    pub const PLAIN: ClassLimit = ClassLimit { cost: 1, rate: None };
}

impl Class {
    /// The class of an operation.
    pub fn of(endpoint: &Endpoint<Call>) -> Class {
        match (endpoint.method, endpoint.answers) {
            (Method::Post, _) if endpoint.path == "/v1/files" => Class::Upload,
            (Method::Post | Method::Delete, _) => Class::Write,
            (Method::Get, _) if endpoint.path.ends_with("/search") => Class::Search,
            (Method::Get, Answers::Many(_)) => Class::List,
            (Method::Get, _) => Class::Read,
        }
    }
}
