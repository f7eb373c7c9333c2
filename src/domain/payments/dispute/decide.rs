//! What requests and time do to disputes.

use super::follow::object;
use super::{Dispute, DisputeState, EVIDENCE_CHARS_MAX, Evidence, PendingVerdict, REVIEW_MS, UpdateDispute, Verdict};
use crate::account_settings::DisputeFee;
use crate::balance::balance_transaction::{BalanceTransaction, BalanceTransactionType, available_on};
use crate::books::{Entry, dispute_fee};
use crate::decision::{Case, Decision, Lookup, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::files::file::FilePurpose;
use crate::kinds;
use crate::metadata;
use crate::object::Object;
use crate::payments::charge::Charge;
use crate::reject::Reject;
use crate::time::day_of;
use std::sync::Arc;
use tollgate_resource::Id;

/// The newest dispute of the charge of a path.
pub(crate) fn of_charge(case: &Case<'_>, charge: Id) -> Result<Id, Stop> {
    let found = case
        .charge(charge)?
        .ok_or_else(|| Reject::no_such(&kinds::CHARGE, charge, "charge"))?;
    found.dispute().ok_or_else(|| none_of(charge).into())
}

/// The refusal for a charge that nobody has disputed: 404.
pub(crate) fn none_of(charge: Id) -> Reject {
    let message = format!("No dispute for charge: {}", charge.text(&kinds::CHARGE));
    let mut reject = Reject::invalid(None, message);
    reject.status = 404;
    reject
}

/// Answers a dispute: evidence is kept, and sent to the bank unless the request says otherwise.
pub(crate) fn update(case: &Case<'_>, id: Id, asked: &UpdateDispute) -> Result<Decision, Stop> {
    let before = dispute_of_path(case, id)?;
    let mut dispute = before.clone();
    metadata::merge(&mut dispute.metadata, &asked.metadata)?;
    let submits = asked.submit.unwrap_or(asked.evidence.is_some());
    if (asked.evidence.is_some() || submits)
        && let Some(reject) = refuse_evidence(before)
    {
        return Err(reject.into());
    }
    if let Some(sent) = &asked.evidence {
        for (param, id) in sent.files() {
            check_file(case, param, id)?;
        }
        let mut evidence = dispute.evidence.take().unwrap_or_default();
        evidence.update(sent);
        check_length(&evidence)?;
        dispute.evidence = (*evidence != Evidence::default()).then_some(evidence);
        dispute.prefilled = false;
    }
    let mut draft = case.draft();
    if submits {
        submit(&mut draft, &mut dispute);
    }
    draft.update_event(EventType::DisputeUpdated, id, object(before.clone()));
    if submits {
        touch_charge(&mut draft, charge_of(case, before)?);
    }
    put_dispute(case, &mut draft, dispute);
    Ok(draft.decide(Reply::Object(&kinds::DISPUTE, id)))
}

/// Gives a dispute up.
pub(crate) fn close(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let before = dispute_of_path(case, id)?;
    let state = match before.state {
        DisputeState::NeedsResponse => DisputeState::Lost,
        DisputeState::WarningNeedsResponse => DisputeState::WarningClosed,
        DisputeState::WarningUnderReview { .. } | DisputeState::UnderReview { .. } => {
            let message = "This dispute cannot be closed because the bank is looking at its evidence.";
            return Err(Reject::invalid(None, message).begun().into());
        }
        DisputeState::WarningClosed | DisputeState::Won | DisputeState::Lost => return Err(already_closed().into()),
    };
    let mut draft = case.draft();
    draft.event(EventType::DisputeClosed, id);
    touch_charge(&mut draft, charge_of(case, before)?);
    put_dispute(
        case,
        &mut draft,
        Dispute {
            state,
            ..before.clone()
        },
    );
    Ok(draft.decide(Reply::Object(&kinds::DISPUTE, id)))
}

/// A timer of the dispute is due: the bank has decided, or the time to answer is over. A timer is a hint: what is to be
/// done follows from the dispute.
pub(crate) fn timer_due(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let now_ms = case.inputs.now_ms;
    let Some(before) = case.dispute(id)? else {
        return Ok(case.nothing());
    };
    let due = |pending: Option<PendingVerdict>| pending.filter(|pending| now_ms >= pending.at_ms);
    let mut draft = case.draft();
    let mut dispute = before.clone();
    match before.state {
        DisputeState::UnderReview { verdict } if let Some(pending) = due(verdict) => match pending.verdict {
            Verdict::Won => win(case, &mut draft, &mut dispute),
            Verdict::Lost | Verdict::Escalated => {
                dispute.state = DisputeState::Lost;
                draft.event(EventType::DisputeClosed, id);
            }
        },
        DisputeState::WarningUnderReview { verdict } if let Some(pending) = due(verdict) => match pending.verdict {
            Verdict::Escalated => escalate(case, &mut draft, &mut dispute)?,
            Verdict::Won | Verdict::Lost => {
                dispute.state = DisputeState::WarningClosed;
                draft.event(EventType::DisputeClosed, id);
            }
        },
        DisputeState::NeedsResponse | DisputeState::WarningNeedsResponse if now_ms >= before.due_ms() => {
            // Evidence that was kept is better than none.
            if before.has_evidence() {
                submit(&mut draft, &mut dispute);
                draft.update_event(EventType::DisputeUpdated, id, object(before.clone()));
            } else {
                dispute.state = if before.state.is_inquiry() {
                    DisputeState::WarningClosed
                } else {
                    DisputeState::Lost
                };
                draft.event(EventType::DisputeClosed, id);
            }
        }
        _ => return Ok(case.nothing()),
    }
    put_dispute(case, &mut draft, dispute);
    Ok(draft.settle(None))
}

/// Takes a dispute's amount and fee from the merchant; the network debits it at once, because that is how we hear of it.
pub(super) fn take_money(draft: &mut Draft, dispute: &mut Dispute) {
    let now_ms = draft.now_ms();
    let today = day_of(now_ms);
    let fee = dispute_fee(dispute.currency);
    let id = draft.born(&kinds::BALANCE_TRANSACTION);
    let movement = Arc::new(BalanceTransaction {
        id,
        kind: BalanceTransactionType::Dispute,
        source: dispute.id,
        amount: -dispute.amount,
        fee,
        currency: dispute.currency,
        available_on: available_on(today, now_ms),
        description: Some(describe("withdrawal", dispute)),
    });
    draft.put(Object::BalanceTransaction(Arc::clone(&movement)));
    draft.entry(Entry::dispute_opened(dispute.id, id, dispute.money(), fee, today));
    draft.entry(Entry::dispute_debited(dispute.id, dispute.network, dispute.money()));
    draft.event(EventType::DisputeFundsWithdrawn, dispute.id);
    dispute.movements.push(movement);
}

/// Puts a dispute, if the state table allows its state.
///
/// # Panics
/// When it does not: a decision that would break the table must not become durable.
pub(super) fn put_dispute(case: &Case<'_>, draft: &mut Draft, dispute: Dispute) {
    let before = match case.world.objects.find(&kinds::DISPUTE, dispute.id) {
        Lookup::Found(Object::Dispute(before)) => Some(before.state.status()),
        _ => None,
    };
    let next = dispute.state.status();
    assert!(next.may_follow(before), "{next:?} may not follow {before:?}");
    draft.put(object(dispute));
}

/// The bank gives the amount back; the fee only where the account's settings say so.
fn win(case: &Case<'_>, draft: &mut Draft, dispute: &mut Dispute) {
    let now_ms = draft.now_ms();
    let today = day_of(now_ms);
    let taken = dispute.movements.first().map_or(0, |movement| movement.fee);
    let returned = match case.world.account.profile.settings().dispute_fee {
        DisputeFee::Kept => 0,
        DisputeFee::Returned => taken,
    };
    let id = draft.born(&kinds::BALANCE_TRANSACTION);
    let movement = Arc::new(BalanceTransaction {
        id,
        kind: BalanceTransactionType::DisputeReversal,
        source: dispute.id,
        amount: dispute.amount,
        fee: -returned,
        currency: dispute.currency,
        available_on: available_on(today, now_ms),
        description: Some(describe("reversal", dispute)),
    });
    draft.put(Object::BalanceTransaction(Arc::clone(&movement)));
    draft.entry(Entry::dispute_won(
        dispute.id,
        id,
        dispute.network,
        dispute.money(),
        returned,
        today,
    ));
    dispute.movements.push(movement);
    dispute.state = DisputeState::Won;
    draft.event(EventType::DisputeFundsReinstated, dispute.id);
    draft.event(EventType::DisputeClosed, dispute.id);
}

/// The inquiry becomes a chargeback: the money is taken, and the merchant is asked anew.
fn escalate(case: &Case<'_>, draft: &mut Draft, dispute: &mut Dispute) -> Result<(), Stop> {
    let before = dispute.clone();
    let mut charge = charge_of(case, dispute)?.clone();
    dispute.state = DisputeState::NeedsResponse;
    dispute.due_by_s = super::answer_due_s(draft.now_ms());
    draft.timer(dispute.due_ms(), dispute.id);
    draft.update_event(EventType::DisputeUpdated, dispute.id, object(before));
    // Whatever was refunded while the bank only asked is not taken once more.
    dispute.amount = dispute.amount.min(charge.refundable().amount);
    take_money(draft, dispute);
    charge.concerns.get_or_insert_default().charged_back = true;
    draft.put(Object::Charge(Arc::new(charge)));
    Ok(())
}

/// Sends the evidence to the bank.
fn submit(draft: &mut Draft, dispute: &mut Dispute) {
    let text = dispute
        .evidence
        .as_deref()
        .and_then(|evidence| evidence.uncategorized_text.as_deref());
    let verdict = match text.map(str::trim) {
        Some("winning_evidence") => Some(Verdict::Won),
        Some("losing_evidence") => Some(Verdict::Lost),
        Some("escalate_inquiry_evidence") if dispute.state.is_inquiry() => Some(Verdict::Escalated),
        _ => None,
    };
    let verdict = verdict.map(|verdict| {
        let at_ms = draft.now_ms() + REVIEW_MS;
        draft.timer(at_ms, dispute.id);
        PendingVerdict { at_ms, verdict }
    });
    dispute.submissions = dispute.submissions.saturating_add(1);
    dispute.state = if dispute.state.is_inquiry() {
        DisputeState::WarningUnderReview { verdict }
    } else {
        DisputeState::UnderReview { verdict }
    };
}

/// Lets an event of the charge follow: what is known of its dispute has changed.
fn touch_charge(draft: &mut Draft, charge: &Charge) {
    let charge = Object::Charge(Arc::new(charge.clone()));
    draft.update_event(EventType::ChargeUpdated, charge.id(), charge.clone());
    draft.put(charge);
}

/// The refusal of evidence for a dispute in its state; `None` if it may be sent.
fn refuse_evidence(dispute: &Dispute) -> Option<Reject> {
    if dispute.state.is_closed() {
        return Some(already_closed());
    }
    if dispute.state.needs_response() {
        return None;
    }
    let message = "Evidence for this dispute has already been submitted. The bank is looking at it.";
    Some(Reject::invalid(None, message).begun())
}

fn already_closed() -> Reject {
    Reject::invalid(None, "This dispute is already closed").begun()
}

fn check_length(evidence: &Evidence) -> Result<(), Stop> {
    let chars = evidence.chars();
    if chars <= EVIDENCE_CHARS_MAX {
        return Ok(());
    }
    let message = format!(
        "The text of a dispute's evidence can have up to {EVIDENCE_CHARS_MAX} characters in total, but this would \
         make it {chars}. Shorten it, or upload it as a file."
    );
    Err(Reject::invalid(None, message).with_param("evidence").into())
}

/// A file that is named as evidence must be there, and be evidence.
fn check_file(case: &Case<'_>, param: &'static str, id: Id) -> Result<(), Stop> {
    let file = case
        .file(id)?
        .ok_or_else(|| Reject::no_such_param(&kinds::FILE, id, param))?;
    if file.purpose == FilePurpose::DisputeEvidence {
        return Ok(());
    }
    let message = format!(
        "The file {} was uploaded for another purpose. Upload it with the purpose `dispute_evidence`.",
        id.text(&kinds::FILE)
    );
    Err(Reject::invalid(None, message).with_param(param).into())
}

fn describe(what: &str, dispute: &Dispute) -> Box<str> {
    format!("Chargeback {what} for {}", dispute.charge.text(&kinds::CHARGE)).into()
}

fn charge_of<'a>(case: &Case<'a>, dispute: &Dispute) -> Result<&'a Charge, Stop> {
    Ok(case.charge(dispute.charge)?.expect("the charge of a dispute exists"))
}

fn dispute_of_path<'a>(case: &Case<'a>, id: Id) -> Result<&'a Dispute, Stop> {
    case.dispute(id)?
        .ok_or_else(|| Reject::no_such(&kinds::DISPUTE, id, "dispute").into())
}
