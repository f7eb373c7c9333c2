//! What came of a command, as lines of a scenario.

use super::Player;
use tollgate_domain::acquirer::{Ask, AttemptId, NetworkCall};
use tollgate_domain::balance::Balance;
use tollgate_domain::books::Entry;
use tollgate_domain::payments::mandate::{MandateScope, MandateStatus};
use tollgate_domain::payments::payment_intent::Status;
use tollgate_domain::payments::payment_method::Instrument;
use tollgate_domain::payments::refund::RefundState;
use tollgate_domain::payments::setup_intent::{SetupFailure, SetupIntent, Status as SetupStatus};
use tollgate_domain::time::day_of;
use tollgate_domain::webhooks::webhook_endpoint::EndpointState;
use tollgate_domain::{Object, Reject, Reply, Stop, kinds};
use tollgate_resource::{Id, Names};

impl Player {
    pub(super) fn reply(&self, reply: &Reply) -> Option<String> {
        match reply {
            Reply::Object(_, id) => Some(format!("200 {}", self.name(*id))),
            Reply::Reject(reject) => Some(self.reject(reject)),
            Reply::Await(attempt) => Some(format!("waits for {}", self.attempt(*attempt))),
            Reply::Handed => Some("is handed on".to_owned()),
            Reply::Nobody => None,
        }
    }

    pub(super) fn stop(&self, stop: &Stop) -> String {
        match stop {
            Stop::Load(kind, id) => format!("must load {} {id:?}", kind.object),
            Stop::Busy(id) => format!("{} is busy", self.name(*id)),
            Stop::Reject(reject) => self.reject(reject),
        }
    }

    fn reject(&self, reject: &Reject) -> String {
        let mut line = format!("{}", reject.status);
        for (label, text) in [
            ("", reject.code.as_deref()),
            ("decline=", reject.decline_code.as_deref()),
            ("param=", reject.param.as_deref()),
        ] {
            if let Some(text) = text {
                line.push_str(&format!(" {label}{text}"));
            }
        }
        for (label, id) in [
            ("charge=", reject.charge),
            ("pi=", reject.payment_intent),
            ("pm=", reject.payment_method),
            ("seti=", reject.setup_intent),
        ] {
            if let Some(id) = id {
                line.push_str(&format!(" {label}{}", self.name(id)));
            }
        }
        if !reject.began {
            line.push_str(" (not begun)");
        }
        format!("{line}: {}", self.with_names(&reject.message))
    }

    fn with_names(&self, message: &str) -> String {
        let mut out = message.to_owned();
        for (name, (kind, id)) in &self.ids {
            out = out.replace(&id.text(kind), name);
        }
        out
    }

    pub(super) fn object(&self, object: &Object) -> String {
        let name = self.name(object.id());
        match object {
            Object::PaymentIntent(intent) => {
                let mut line = format!(
                    "{name} {} {} {}",
                    intent.status.name().name(),
                    intent.amount,
                    intent.currency
                );
                if intent.amount_received() != 0 {
                    line.push_str(&format!(" received={}", intent.amount_received()));
                }
                for (label, id) in [
                    ("customer", intent.customer),
                    ("method", intent.payment_method),
                    ("charge", intent.latest_charge()),
                    ("review", intent.particulars.as_deref().and_then(|all| all.review)),
                ] {
                    line.push_str(&id.map_or(String::new(), |id| format!(" {label}={}", self.name(id))));
                }
                if let Status::Canceled {
                    reason: Some(reason), ..
                } = &intent.status
                {
                    line.push_str(&format!(" reason={}", reason.name()));
                }
                if let Some(error) = &intent.last_error {
                    let code = error
                        .decline
                        .map_or("authentication".to_owned(), |number| number.to_string());
                    line.push_str(&format!(" error={code}"));
                }
                line
            }
            Object::Charge(charge) => {
                let state = format!("{:?}", charge.state);
                let state = state.split([' ', '{']).next().unwrap_or_default().to_lowercase();
                let mut line = format!("{name} {state} {} {}", charge.amount, charge.currency);
                if let Some(mandate) = charge.seen.as_ref().and_then(|seen| seen.mandate) {
                    line.push_str(&format!(" mandate={}", self.name(mandate)));
                }
                if charge.amount_captured() != 0 {
                    line.push_str(&format!(" captured={}", charge.amount_captured()));
                }
                if charge.amount_refunded() != 0 {
                    let all = if charge.is_refunded() { " (all)" } else { "" };
                    line.push_str(&format!(" refunded={}{all}", charge.amount_refunded()));
                }
                if let Some(risk) = charge.concerns.as_deref().and_then(|concerns| concerns.risk) {
                    line.push_str(&format!(" risk={}", risk.level()));
                }
                if let Some(dispute) = charge.dispute() {
                    line.push_str(&format!(" disputed={}", self.name(dispute)));
                }
                line
            }
            Object::Refund(refund) => {
                let state = match refund.state {
                    RefundState::Confirmed => "confirmed",
                    RefundState::InTransit { .. } => "in transit",
                    RefundState::Pending { .. } => "pending",
                    RefundState::Failed { .. } => "failed",
                };
                format!(
                    "{name} {state} {} {} of {}",
                    refund.amount,
                    refund.currency,
                    self.name(refund.charge)
                )
            }
            Object::Customer(customer) => {
                let mut line = format!(
                    "{name} {} {}",
                    customer.name.as_deref().unwrap_or("-"),
                    customer.email.as_deref().unwrap_or("-")
                );
                let more = customer.more();
                if more.balance != 0 {
                    line.push_str(&format!(" balance={}", more.balance));
                }
                for (label, ids) in [
                    ("holds", &more.methods),
                    ("sources", &more.sources),
                    ("tax_ids", &more.tax_ids),
                ] {
                    if !ids.is_empty() {
                        let names: Vec<String> = ids.iter().map(|id| self.name(*id)).collect();
                        line.push_str(&format!(" {label}={}", names.join(",")));
                    }
                }
                line.push_str(
                    &more
                        .default_source
                        .map_or(String::new(), |id| format!(" default={}", self.name(id))),
                );
                let invoiced_to = more.invoicing.default_payment_method;
                line.push_str(&invoiced_to.map_or(String::new(), |id| format!(" invoices={}", self.name(id))));
                if customer.deleted {
                    line.push_str(" (deleted)");
                }
                line
            }
            Object::BalanceTransaction(txn) => {
                let day = txn.available_day() - day_of(self.shop.now_ms);
                let on = if day > 0 {
                    format!("in {day} days")
                } else {
                    "now".into()
                };
                let (kind, net) = (txn.kind.name(), txn.net());
                format!(
                    "{name} {kind} {} fee {} net {net} {on} for {}",
                    txn.amount,
                    txn.fee,
                    self.name(txn.source)
                )
            }
            Object::ConfirmationToken(token) => {
                let used = token
                    .used_by
                    .map_or(String::new(), |id| format!(" used by {}", self.name(id)));
                format!("{name}{used}")
            }
            Object::EphemeralKey(key) => format!("{name} {}", if key.deleted { "deleted" } else { "open" }),
            Object::Token(token) => format!("{name}{}", if token.used { " used" } else { "" }),
            Object::SetupIntent(intent) => self.setup_intent(intent),
            Object::SetupAttempt(attempt) => {
                let how = attempt.three_d_secure.map_or("", Names::name);
                let line = format!(
                    "{name} {} {}",
                    attempt.state.name().name(),
                    self.name(attempt.payment_method.id)
                );
                format!("{line} {how}").trim_end().to_owned()
            }
            Object::Mandate(mandate) => {
                let scope = match mandate.scope {
                    MandateScope::MultiUse => "multi_use".to_owned(),
                    MandateScope::SingleUse { money } => format!("single_use {money}"),
                };
                let ended = match mandate.status() {
                    MandateStatus::Inactive => " inactive",
                    _ => "",
                };
                format!("{name} {scope} of {}{ended}", self.name(mandate.payment_method))
            }
            Object::TaxId(tax_id) => {
                let deleted = if tax_id.deleted { " (deleted)" } else { "" };
                let (kind, status) = (tax_id.kind.name(), tax_id.verification.name());
                format!("{name} {kind} {} {status}{deleted}", tax_id.value)
            }
            Object::CustomerBalanceTransaction(txn) => {
                let (kind, currency) = (txn.kind.name(), txn.currency);
                let ending = txn.ending_balance;
                format!(
                    "{name} {kind} {} {currency} to {ending} of {}",
                    txn.amount,
                    self.name(txn.customer)
                )
            }
            Object::PaymentMethod(method) | Object::Source(method) | Object::Card(method) => {
                let saved = method
                    .customer
                    .map_or(String::new(), |id| format!(" of {}", self.name(id)));
                let used = if method.used_up { " used up" } else { "" };
                let what = match &method.instrument {
                    Instrument::Card(card) => card.last4().to_string(),
                    Instrument::Bank(bank) => {
                        format!("{} {} {}", bank.scheme.name(), bank.last4(), bank.ownership.name())
                    }
                    Instrument::Redirect(method) => method.kind.name().to_owned(),
                };
                format!("{name} {what}{saved}{used}")
            }
            Object::File(file) => format!(
                "{name} {} {} of {} bytes",
                file.purpose.name(),
                file.contents.kind.name(),
                file.contents.size
            ),
            Object::FileLink(link) => format!("{name} to {}", self.name(link.file)),
            Object::Review(review) => {
                let end = review.closed.map_or("open", |end| end.name());
                format!("{name} {end} of {}", self.name(review.charge))
            }
            Object::EarlyFraudWarning(warning) => {
                let left = if warning.settled { "settled" } else { "actionable" };
                format!("{name} {left} of {}", self.name(warning.charge))
            }
            Object::PaymentMethodDomain(domain) | Object::ApplePayDomain(domain) => {
                let disabled = if domain.disabled { " disabled" } else { "" };
                let deleted = if domain.deleted { " (deleted)" } else { "" };
                format!("{name} {}{disabled}{deleted}", domain.name)
            }
            Object::WebhookEndpoint(endpoint) => {
                let state = match endpoint.state {
                    EndpointState::Enabled => String::new(),
                    EndpointState::Disabled { reason, .. } => format!(" {}", reason.name()),
                    EndpointState::Deleted => " (deleted)".to_owned(),
                };
                format!("{name} {} {}{state}", endpoint.url, endpoint.enabled_events.join(" "))
            }
            Object::PaymentMethodConfiguration(configuration) => {
                let types: Vec<&str> = configuration.types().into_iter().map(Names::name).collect();
                let inactive = if configuration.inactive { " inactive" } else { "" };
                format!("{name} {:?}{inactive} {}", configuration.name, types.join(", "))
            }
            Object::Dispute(dispute) => {
                let status = dispute.state.status().name();
                let evidence = if dispute.evidence.is_some() { " evidence" } else { "" };
                let sent = match dispute.submissions {
                    0 => String::new(),
                    count => format!(" sent={count}"),
                };
                format!(
                    "{name} {status} {} {} {} of {}{evidence}{sent}",
                    dispute.cause.reason(),
                    dispute.amount,
                    dispute.currency,
                    self.name(dispute.charge)
                )
            }
        }
    }

    fn setup_intent(&self, intent: &SetupIntent) -> String {
        let mut line = format!("{} {}", self.name(intent.id), intent.status.name().name());
        for (label, id) in [
            ("customer", intent.customer),
            ("method", intent.payment_method),
            ("attempt", intent.latest_attempt),
            ("mandate", intent.mandate.or(intent.single_use_mandate)),
        ] {
            line.push_str(&id.map_or(String::new(), |id| format!(" {label}={}", self.name(id))));
        }
        if let SetupStatus::Canceled { reason: Some(reason) } = intent.status {
            line.push_str(&format!(" reason={}", reason.name()));
        }
        match intent.last_error.as_deref().map(|error| error.failure) {
            Some(SetupFailure::Declined { decline }) => line.push_str(&format!(" error={decline}")),
            Some(SetupFailure::Unauthenticated) => line.push_str(" error=unauthenticated"),
            None => {}
        }
        line
    }

    pub(super) fn entry(&self, entry: &Entry) -> String {
        let postings: Vec<String> = entry
            .postings
            .iter()
            .map(|posting| format!("{} {}", posting.account.name(), posting.amount))
            .collect();
        format!(
            "entry {} {}: {}",
            entry.cause.name(),
            self.name(entry.source),
            postings.join(", ")
        )
    }

    pub(super) fn call(&self, call: &NetworkCall) -> String {
        let attempt = self.attempt(call.attempt);
        match &call.ask {
            Ask::Authorise(money) => format!("authorise {attempt} {}", money.amount),
            Ask::Purchase(money) => format!("purchase {attempt} {}", money.amount),
            Ask::Capture { of, money } => format!("capture {attempt} of {} {}", self.attempt(*of), money.amount),
            Ask::Verify { cvc, .. } => format!("verify {attempt}{}", if *cvc { " with code" } else { "" }),
            Ask::Inquire => format!("inquire {attempt}"),
            Ask::Reverse => format!("reverse {attempt}"),
            Ask::Refund { of, money } => format!("refund {attempt} of {} {}", self.attempt(*of), money.amount),
        }
    }

    pub(super) fn balance(&self) -> String {
        let balance = Balance::of(&self.shop.account, self.shop.now_ms);
        let parts: Vec<String> = balance
            .currencies
            .iter()
            .filter(|it| it.available != 0 || it.pending != 0)
            .map(|it| format!("{} available {} pending {}", it.currency, it.available, it.pending))
            .collect();
        if parts.is_empty() {
            String::new()
        } else {
            format!("balance {}", parts.join("; "))
        }
    }

    pub(super) fn attempt(&self, attempt: AttemptId) -> String {
        format!("{}/{}", self.name(attempt.object), attempt.number)
    }

    pub(super) fn name(&self, id: Id) -> String {
        let unknown = || {
            kinds::ALL
                .iter()
                .find(|kind| id.is(kind))
                .map_or("?", |kind| kind.prefix)
                .to_owned()
        };
        self.names.get(&id).cloned().unwrap_or_else(unknown)
    }
}
