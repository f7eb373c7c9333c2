//! A charge that is made by itself, as older integrations do, without an intent: decided here, or by a remote network
//! that is asked once the charge is recorded.

use super::source::{payer, put_method};
use super::{Charge, ChargeState, CreateCharge};
use super::{debit, remote};
use crate::address::Shipping;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::inputs::Network;
use crate::kinds;
use crate::metadata;
use crate::money::{AmountProblem, Money, check_charge_amount};
use crate::payments::authentication::{AuthenticationAsk, AuthenticationNeed, Claims, ThreeDSecureRequest};
use crate::payments::dispute;
use crate::payments::payment_intent::{
    HOLD_MS, capture_money, check_descriptor, check_email, follow_capture, put_charge, statement_text,
};
use crate::payments::payment_method::{Behaviour, Decline, Instrument, PaymentMethod, PaymentRadarOptionsParams};
use crate::radar::{self, Judgement};
use crate::reject::{Reject, codes};
use tollgate_resource::Metadata;

/// Charges a card. A decline leaves a failed charge.
pub(crate) fn create(case: &Case<'_>, asked: &CreateCharge) -> Result<Decision, Stop> {
    let currency = asked.currency.expect("the form makes sure of required parameters");
    let money = Money::new(asked.amount, currency);
    check_charge_amount(money).map_err(|problem| refused_amount(problem, money, case))?;
    let customer = asked.customer.map(|customer| customer.0);
    if let Some(customer) = customer {
        case.check_customer(customer)?;
    }
    let mut pairs = Metadata::default();
    metadata::merge(&mut pairs, &asked.metadata)?;
    if let Some(email) = &asked.receipt_email {
        check_email(email, "receipt_email")?;
    }
    check_descriptor(asked.statement_descriptor.as_deref(), "statement_descriptor")?;
    check_descriptor(
        asked.statement_descriptor_suffix.as_deref(),
        "statement_descriptor_suffix",
    )?;
    let named = asked.source.as_ref().map(|source| (source, "source"));
    let named = named.or(asked.card.as_ref().map(|card| (card, "card")));
    let payer = payer(case, named, customer)?;

    let mut draft = case.draft();
    let id = if payer.is_bank() {
        draft.born_other(&kinds::CHARGE)
    } else {
        draft.born(&kinds::CHARGE)
    };
    let mut method = payer.into_method(&mut draft, id);
    if let Some(session) = asked.radar_options.as_ref().and_then(|options| options.session.clone()) {
        method.details.get_or_insert_default().radar_session = Some(session);
    }
    let charge = Charge {
        id,
        amount: asked.amount,
        currency,
        payment_intent: None,
        payment_method: method.id,
        instrument: method.instrument.clone(),
        customer,
        state: ChargeState::Held,
        network: method.instrument.network(case.inputs.network),
        authorised_by: None,
        captured_by: None,
        capture_before_ms: None,
        refunded: 0,
        refunds: Vec::new(),
        refund_count: 0,
        description: asked.description.clone(),
        metadata: pairs,
        receipt_email: asked.receipt_email.clone(),
        shipping: asked
            .shipping
            .clone()
            .map(|shipping| Box::new(Shipping::from(shipping))),
        statement_descriptor: asked.statement_descriptor.clone(),
        statement_descriptor_suffix: asked.statement_descriptor_suffix.clone(),
        calculated_statement_descriptor: statement_text(
            case,
            asked.statement_descriptor.as_deref(),
            asked.statement_descriptor_suffix.as_deref(),
        ),
        transfer_group: asked.transfer_group.clone(),
        source: method.source.clone(),
        seen: method.seen().map(Box::new),
        three_d_secure: None,
        concerns: None,
        increments: false,
        multicapture: false,
        claims: asked.radar_options.as_deref().and_then(claims_of),
        remote: None,
        revised: true,
    };
    decide(case, draft, charge, method, asked.capture.unwrap_or(true))
}

fn decide(
    case: &Case<'_>,
    mut draft: Draft,
    mut charge: Charge,
    method: PaymentMethod,
    capture: bool,
) -> Result<Decision, Stop> {
    if let Instrument::Bank(_) = method.instrument
        && method.id.is_other(&kinds::CARD)
    {
        return debit::start(case, draft, charge, method, capture);
    }
    let Instrument::Card(card) = method.instrument else {
        let message = "A charge without a PaymentIntent takes money from a card. Make a PaymentIntent.";
        return Err(Reject::invalid(None, message).into());
    };
    let id = charge.id;
    // Nobody can be asked here: the card decides as it does while its holder is away.
    let need = card.facts().authentication.ask(AuthenticationAsk {
        off_session: true,
        request: ThreeDSecureRequest::Automatic,
        prepared: method.prepared,
    });
    match need {
        AuthenticationNeed::Nothing(tried) => charge.three_d_secure = tried,
        AuthenticationNeed::Challenge => unreachable!("nobody is challenged while away"),
        AuthenticationNeed::Declined(decline) => {
            charge.network = Network::Instant;
            let reject = declined(case, &mut draft, charge, method, decline);
            return Ok(draft.decide(Reply::Reject(Box::new(reject))));
        }
        // The bank was not asked, so nothing is left of it.
        AuthenticationNeed::Refused(decline) => return Err(Reject::declined(decline).into()),
    }
    if radar::concerns(&method)
        && !charge.skips_rules()
        && let Judgement::Blocked { decline, risk } = radar::judge(case, &method)
    {
        charge.network = Network::Instant;
        charge.concerns_mut().risk = Some(risk);
        let reject = declined(case, &mut draft, charge, method, decline);
        return Ok(draft.decide(Reply::Reject(Box::new(reject))));
    }
    if charge.network == Network::Remote {
        return Ok(remote::ask_to_pay(case, draft, charge, method, capture));
    }
    match method.behaviour(&card) {
        Behaviour::Succeed => {
            dispute::load_payer(case, &charge.instrument, charge.customer)?;
            approved(case, &mut draft, charge, method, capture);
            Ok(draft.decide(Reply::Object(&kinds::CHARGE, id)))
        }
        Behaviour::Decline(decline) => {
            let reject = declined(case, &mut draft, charge, method, decline);
            Ok(draft.decide(Reply::Reject(Box::new(reject))))
        }
        Behaviour::Remote(_) => unreachable!("cards of the remote network choose it"),
    }
}

/// The bank said yes: the money is captured, or held to be captured later. `charge` and `method` end up in the draft.
pub(super) fn approved(case: &Case<'_>, draft: &mut Draft, mut charge: Charge, method: PaymentMethod, capture: bool) {
    let id = charge.id;
    draft.event(EventType::ChargeSucceeded, id);
    if radar::concerns(&method) {
        radar::after_approval(case, draft, &mut charge, &method);
    }
    if capture {
        charge.captured_by = charge.authorised_by;
        charge.state = capture_money(case, draft, &charge, charge.amount);
        follow_capture(case, draft, &mut charge);
    } else {
        let capture_before_ms = draft.now_ms() + HOLD_MS;
        charge.state = ChargeState::Held;
        charge.capture_before_ms = Some(capture_before_ms);
        draft.timer(capture_before_ms, id);
    }
    put_method(case, draft, method, true);
    put_charge(case, draft, charge);
}

/// The bank, or a rule, said no. What is returned is the asker's answer.
pub(super) fn declined(
    case: &Case<'_>,
    draft: &mut Draft,
    mut charge: Charge,
    method: PaymentMethod,
    decline: &'static Decline,
) -> Reject {
    charge.state = ChargeState::Failed {
        decline: decline.number,
    };
    draft.event(EventType::ChargeFailed, charge.id);
    let reject = Reject::declined(decline).with_charge(charge.id);
    put_method(case, draft, method, false);
    put_charge(case, draft, charge);
    reject
}

/// What a charge without an intent claims.
fn claims_of(asked: &PaymentRadarOptionsParams) -> Option<Box<Claims>> {
    let claims = Claims {
        skips_rules: !asked.skip_rules.is_empty(),
        ..Claims::default()
    };
    claims.skips_rules.then(|| Box::new(claims))
}

/// The refusal of an amount; this older call has words of its own for one below zero.
fn refused_amount(problem: AmountProblem, money: Money, case: &Case<'_>) -> Reject {
    match problem {
        AmountProblem::Negative => {
            Reject::invalid(Some(codes::PARAMETER_INVALID_INTEGER), "Invalid positive integer").with_param("amount")
        }
        other => Reject::amount(other, money, case.version(), "amount"),
    }
}
