//! Making and ending ephemeral keys. There is no event of either.

use super::EphemeralKey;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::kinds;
use crate::object::Object;
use crate::reject::Reject;
use std::sync::Arc;
use tollgate_resource::Id;

/// Makes a key for a customer.
pub(crate) fn create(case: &Case<'_>, customer: Id) -> Result<Decision, Stop> {
    case.check_customer(customer)?;
    let mut draft = case.draft();
    let id = draft.born(&kinds::EPHEMERAL_KEY);
    draft.put(Object::EphemeralKey(Arc::new(EphemeralKey {
        id,
        customer,
        account: case.world.account.profile.id,
        deleted: false,
        version: Some(case.version()),
    })));
    Ok(draft.decide(Reply::Object(&kinds::EPHEMERAL_KEY, id)))
}

/// Ends a key. One that was ended already is not there any more.
pub(crate) fn delete(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let key = case.ephemeral_key(id)?.filter(|key| !key.deleted);
    let key = key.ok_or_else(|| Reject::no_such(&kinds::EPHEMERAL_KEY, id, "key"))?;
    let mut draft = case.draft();
    draft.put(Object::EphemeralKey(Arc::new(EphemeralKey {
        deleted: true,
        ..key.clone()
    })));
    Ok(draft.decide(Reply::Object(&kinds::EPHEMERAL_KEY, id)))
}
