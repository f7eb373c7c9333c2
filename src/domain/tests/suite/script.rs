//! Scenarios as text: a line that starts with `>` is a command, the lines below it are everything that came of it. One
//! that starts with `+` only prepares what follows: it must not be refused, and what came of it is another test's matter.
//!
//! `> create_payment_intent amount=2000 …` goes through the declared operation of that name. Objects are called by kind
//! and order of birth: `pi1`, `ch1`; `@pi1` in a parameter stands for the id. `> wait 5s` moves the clock and lets due
//! timers fire; `> answer pi1/1 request approved` is the network's word; `> act pi1 complete` is the payer's.

mod listed;
mod told;

use crate::form::Pairs;
use crate::shop::{Done, Shop};
use std::collections::HashMap;
use std::sync::Arc;
use tollgate_domain::account_settings::DisputeFee;
use tollgate_domain::acquirer::{Asked, AttemptId, NetworkAnswer, Said};
use tollgate_domain::api::ENDPOINTS;
use tollgate_domain::payments::authentication::CompletedAction;
use tollgate_domain::{Call, Command, Network, Read, Stop, World, read};
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
        } else if let Some(command) = line.strip_prefix('+') {
            told.push((*line).to_owned());
            player.prepare(command.trim());
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
    fn prepare(&mut self, line: &str) {
        let mut told = Vec::new();
        self.play(line, &mut told);
        if let Some(refused) = told.first().filter(|first| first.starts_with('4')) {
            panic!("{line}: {refused}");
        }
    }

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
                Call::List(query) => told.push(self.list(&query)),
                Call::Search(search) => told.push(format!("search among {}", search.searched.plural)),
                Call::Delivery(asked) => told.push(format!("asks whoever delivers: {:?}", asked.asked)),
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
}
