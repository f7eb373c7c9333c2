//! Scenarios as text: a line that starts with `>` is a command, the lines below it are everything that came of it.
//!
//! `> create_payment_intent amount=2000 …` goes through the declared operation of that name. Objects are called by kind
//! and order of birth: `pi1`, `ch1`; `@pi1` in a parameter stands for the id. `> wait 5s` moves the clock and lets due
//! timers fire; `> answer pi1/1 request approved` is the network's word; `> act pi1 complete` is the payer's.

use crate::form::Pairs;
use crate::shop::{Done, Shop};
use std::collections::HashMap;
use std::sync::Arc;
use tollgate_domain::account_settings::DisputeFee;
use tollgate_domain::acquirer::{Ask, Asked, AttemptId, NetworkAnswer, NetworkCall, Said};
use tollgate_domain::api::ENDPOINTS;
use tollgate_domain::balance::Balance;
use tollgate_domain::books::Entry;
use tollgate_domain::payments::authentication::CompletedAction;
use tollgate_domain::payments::mandate::MandateScope;
use tollgate_domain::payments::payment_intent::Status;
use tollgate_domain::payments::refund::RefundState;
use tollgate_domain::payments::setup_intent::{SetupFailure, SetupIntent, Status as SetupStatus};
use tollgate_domain::time::day_of;
use tollgate_domain::{Call, Command, Network, Object, Read, Reject, Reply, Stop, World, kinds, read};
use tollgate_resource::operation::PathArgs;
use tollgate_resource::{Id, Kind, Names, Version};

/// Plays `scenario` and compares everything that comes of it.
pub(crate) fn check(scenario: &str) {
    let mut player = Player::default();
    let wanted: Vec<&str> = scenario
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let mut told = Vec::new();
    for line in &wanted {
        if let Some(command) = line.strip_prefix('>') {
            told.push((*line).to_owned());
            player.play(command.trim(), &mut told);
        }
    }
    crate::audit::check(&player.shop);
    assert!(
        told == wanted,
        "the scenario went differently:\n\n{}\n",
        told.join("\n")
    );
}

/// Plays commands, and tells the types of all events that came of them, in order.
pub(crate) fn events_of(commands: &[&str]) -> Vec<&'static str> {
    let mut player = Player::default();
    for command in commands {
        player.play(command, &mut Vec::new());
    }
    crate::audit::check(&player.shop);
    let facts = player.shop.records.iter();
    facts
        .flat_map(|facts| facts.events.iter().map(|event| event.kind.name()))
        .collect()
}

struct Player {
    shop: Shop,
    names: HashMap<Id, String>,
    ids: HashMap<String, (&'static Kind, Id)>,
    balance: String,
}

impl Default for Player {
    fn default() -> Self {
        Player {
            shop: Shop::open(),
            names: HashMap::new(),
            ids: HashMap::new(),
            balance: String::new(),
        }
    }
}

impl Player {
    fn play(&mut self, line: &str, told: &mut Vec<String>) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "network" => {
                self.shop.network = if rest == "remote" {
                    Network::Remote
                } else {
                    Network::Instant
                }
            }
            "settings" => self.settings(rest),
            "version" => self.shop.version = Version(rest.parse().expect("a date")),
            "wait" => self.wait(rest, told),
            "act" => {
                let (object, outcome) = rest.split_once(' ').expect("an object and an outcome");
                let id = self.ids[object].1;
                let nonce = self
                    .shop
                    .get(self.ids[object].0, id)
                    .action()
                    .map_or(0, |action| action.nonce);
                let done = self.shop.ask(&Command::CompleteAction(CompletedAction {
                    object: id,
                    nonce,
                    authenticated: outcome == "complete",
                }));
                self.tell(done, told);
            }
            "answer" => {
                let command = self.answer(rest);
                let done = self.shop.tell(&command);
                self.tell(done, told);
            }
            _ => match self.request(word, rest) {
                Call::Write(command) => {
                    let done = self.shop.ask(&command);
                    self.tell(done, told);
                }
                Call::Read(asked) => self.read(asked, told),
                Call::List(query) => told.push(format!("list of {}", query.kind.object)),
                Call::Search(search) => told.push(format!("search among {}", search.searched.plural)),
            },
        }
    }

    fn request(&self, name: &str, rest: &str) -> Call {
        let endpoint = ENDPOINTS
            .iter()
            .find(|endpoint| endpoint.name == name)
            .expect("a declared operation");
        let mut pairs = Vec::new();
        let mut segments = Vec::new();
        for word in rest.split_whitespace() {
            let id_or_text = |text: &str| match text.strip_prefix('@') {
                Some(name) => {
                    let (kind, id) = self.ids[name];
                    id.text(kind)
                }
                None => text.to_owned(),
            };
            match word.split_once('=') {
                Some((param, text)) => pairs.push((param.to_owned(), id_or_text(text))),
                None => segments.push(id_or_text(word)),
            }
        }
        let named: Vec<(&'static str, &str)> = segments.iter().map(|text| ("id", text.as_str())).collect();
        let parsed = (endpoint.parse)(&PathArgs { segments: &named }, &mut Pairs(pairs));
        parsed.unwrap_or_else(|refused| panic!("{name} {rest}: {refused:?}"))
    }

    /// Changes settings of the account, as an operator would.
    fn settings(&mut self, text: &str) {
        let mut profile = (*self.shop.account.profile).clone();
        let mut settings = profile.settings().clone();
        for word in text.split_whitespace() {
            let (name, value) = word.split_once('=').expect("name=value");
            match name {
                "block_highest_risk" => settings.radar.block_highest_risk = value == "true",
                "review_elevated_risk" => settings.radar.review_elevated_risk = value == "true",
                "block_cvc_fail" => settings.radar.block_cvc_fail = value == "true",
                "block_zip_fail" => settings.radar.block_zip_fail = value == "true",
                "dispute_fee" => settings.dispute_fee = DisputeFee::from_name(value).expect("a word of the setting"),
                other => panic!("no setting {other}"),
            }
        }
        profile.revision += 1;
        profile.settings = Some(Box::new(settings));
        self.shop.account.refresh(&Arc::new(profile));
    }

    fn answer(&self, text: &str) -> Command {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (object, number) = words[0].split_once('/').expect("object/number");
        let attempt = AttemptId {
            object: self.ids[object].1,
            number: number.parse().expect("a number"),
        };
        let to = match words[1] {
            "request" => Asked::Request,
            "inquiry" => Asked::Inquiry,
            _ => Asked::Reversal,
        };
        let said = match words[2] {
            "approved" => Said::Approved,
            "declined" => Said::Declined {
                decline: words[3].parse().expect("a number"),
            },
            "not_found" => Said::NotFound,
            "acknowledged" => Said::Acknowledged,
            _ => Said::Silence,
        };
        Command::ResolveAttempt(attempt, NetworkAnswer { to, said })
    }

    fn wait(&mut self, text: &str, told: &mut Vec<String>) {
        let (number, unit) = text.split_at(text.len() - 1);
        let unit_ms = match unit {
            "s" => 1_000,
            "h" => 3_600_000,
            _ => 86_400_000,
        };
        let until = self.shop.now_ms + number.parse::<u64>().expect("a number") * unit_ms;
        // Timers fire one after another, each at its own time, as they would.
        while let Some(at_ms) = self
            .shop
            .timers
            .iter()
            .map(|(at_ms, _)| *at_ms)
            .min()
            .filter(|at_ms| *at_ms <= until)
        {
            self.shop.now_ms = self.shop.now_ms.max(at_ms);
            for object in self.shop.due() {
                let done = self.shop.tell(&Command::TimerDue(object));
                if matches!(&done, Ok(done) if done.decision.facts.is_empty()) {
                    continue;
                }
                let at_s = (self.shop.now_ms - crate::shop::START_MS) / 1_000;
                told.push(format!("timer of {} at {at_s} s", self.name(object)));
                self.tell(done, told);
            }
        }
        self.shop.now_ms = until;
        let balance = self.balance();
        if balance != self.balance {
            told.push(balance.clone());
            self.balance = balance;
        }
    }

    fn read(&self, asked: Read, told: &mut Vec<String>) {
        let world = World {
            account: &self.shop.account,
            objects: &self.shop.objects,
        };
        match read(&world, asked, self.shop.now_ms) {
            Ok(tollgate_domain::Item::Object(object)) => told.push(self.object(&object)),
            Ok(_) => told.push(self.balance()),
            Err(stop) => told.push(self.stop(&stop)),
        }
    }

    fn tell(&mut self, done: Result<Done, Stop>, told: &mut Vec<String>) {
        let done = match done {
            Ok(done) => done,
            Err(stop) => return told.push(self.stop(&stop)),
        };
        let facts = &done.decision.facts;
        for object in facts.born() {
            let kind = object.kind();
            let count = self.ids.values().filter(|(known, _)| *known == kind).count() + 1;
            let name = format!("{}{count}", kind.prefix);
            self.ids.insert(name.clone(), (kind, object.id()));
            self.names.insert(object.id(), name);
        }
        if let Some(line) = self.reply(&done.decision.reply) {
            told.push(line);
        }
        if let Some(settled) = &done.decision.settles {
            let reply = self.reply(&settled.reply).unwrap_or_default();
            let key = settled.claim.as_ref().map_or("no key", |claim| &claim.key);
            told.push(format!("settles {} of {key}: {reply}", self.attempt(settled.attempt)));
        }
        for object in &facts.objects {
            told.push(format!("· {}", self.object(object)));
        }
        for entry in &facts.entries {
            told.push(format!("· {}", self.entry(entry)));
        }
        for call in &done.calls {
            told.push(format!("· call {}", self.call(call)));
        }
        if !done.events.is_empty() {
            let events: Vec<&str> = done.events.iter().map(|event| event.kind.name()).collect();
            told.push(format!("events {}", events.join(", ")));
        }
        let balance = self.balance();
        if balance != self.balance {
            told.push(balance.clone());
            self.balance = balance;
        }
    }

    fn reply(&self, reply: &Reply) -> Option<String> {
        match reply {
            Reply::Object(_, id) => Some(format!("200 {}", self.name(*id))),
            Reply::Reject(reject) => Some(self.reject(reject)),
            Reply::Await(attempt) => Some(format!("waits for {}", self.attempt(*attempt))),
            Reply::Nobody => None,
        }
    }

    fn stop(&self, stop: &Stop) -> String {
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

    fn object(&self, object: &Object) -> String {
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
                format!("{name} {scope} of {}", self.name(mandate.payment_method))
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
                format!("{name} {}{saved}{used}", method.card.last4())
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

    fn entry(&self, entry: &Entry) -> String {
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

    fn call(&self, call: &NetworkCall) -> String {
        let attempt = self.attempt(call.attempt);
        match call.ask {
            Ask::Authorise(money) => format!("authorise {attempt} {}", money.amount),
            Ask::Purchase(money) => format!("purchase {attempt} {}", money.amount),
            Ask::Capture { of, money } => format!("capture {attempt} of {} {}", self.attempt(of), money.amount),
            Ask::Inquire => format!("inquire {attempt}"),
            Ask::Reverse => format!("reverse {attempt}"),
            Ask::Refund { of, money } => format!("refund {attempt} of {} {}", self.attempt(of), money.amount),
        }
    }

    fn balance(&self) -> String {
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

    fn attempt(&self, attempt: AttemptId) -> String {
        format!("{}/{}", self.name(attempt.object), attempt.number)
    }

    fn name(&self, id: Id) -> String {
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
