//! What the domain decides by the API version of a request. What is only called otherwise, or shown otherwise, is the
//! edge's business; the code here speaks the newest version.

use crate::decision::{Case, Stop};
use crate::reject::{Reject, codes};
use tollgate_resource::Version;

/// One thing that is decided by version.
#[derive(Debug)]
pub struct Behaviour {
    /// The first version with the new behaviour.
    pub since: Version,
    /// What changed, in one line for the page of versions.
    pub doc: &'static str,
}

/// From here on the email address of a customer has to look like one.
pub(crate) const CUSTOMER_EMAILS_CHECKED: Version = Version(20180727);
/// From here on the public API takes no `payment_method_types` on payment intents and setup intents.
const PAYMENT_METHOD_TYPES_RETIRED: Version = Version(20260930);

/// Everything that is decided by version, oldest first. (Defaults that a form of an older version is given before it is
/// read stand with the changes of the edge.)
pub const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        since: CUSTOMER_EMAILS_CHECKED,
        doc: "`email` of a customer must look like an address.",
    },
    Behaviour {
        since: crate::reject::ZERO_AMOUNT_NAMES_SETUP_INTENTS,
        doc: "The refusal of an amount of zero names Setup Intents.",
    },
    Behaviour {
        since: PAYMENT_METHOD_TYPES_RETIRED,
        doc: "`payment_method_types` is not taken on payment intents and setup intents any more: 400 \
              `payment_method_types_no_longer_supported`, on accounts with `retired_parameters=refused`. On others it \
              is taken as before.",
    },
];

/// Refuses `payment_method_types` where the request's version has retired them and the account says so.
pub(crate) fn check_payment_method_types(case: &Case<'_>, types: &[Box<str>]) -> Result<(), Stop> {
    let retired = case.version() >= PAYMENT_METHOD_TYPES_RETIRED;
    if types.is_empty() || !retired || !case.world.account.profile.settings().refuses_retired {
        return Ok(());
    }
    let code = Some(codes::PAYMENT_METHOD_TYPES_NO_LONGER_SUPPORTED);
    let message = "The parameter `payment_method_types` is no longer supported in this API version. Leave it out to offer \
                   what your account has turned on, or narrow that down with `excluded_payment_method_types`.";
    Err(Reject::invalid(code, message).with_param("payment_method_types").into())
}
