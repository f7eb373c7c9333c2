//! Clients that race on a few objects of one account, and write down what they ask and hear.

use crate::checker::{OPS_MAX, Span};
use crate::history::{Answer, Call, Card, FIELDS, Op};
use crate::random::Random;
use crate::server::PATIENCE;
use crate::wire::{Ended, Ids, Manners, Socket, intent_of, request, understood};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// What kind of race it is.
#[derive(Clone, Debug)]
pub(crate) struct Race {
    pub(crate) clients: u8,
    /// Requests of each client.
    pub(crate) requests: u32,
    /// Payment intents.
    pub(crate) slots: u8,
    /// Cards that are used, each as often as it stands here.
    pub(crate) cards: &'static [Card],
    /// Writes that carry a key, of a hundred.
    pub(crate) keyed: u64,
    /// Requests whose client goes away, of a hundred.
    pub(crate) hang_ups: u64,
    /// Requests that follow after a pause, of a hundred.
    pub(crate) pauses: u64,
}

/// One account and its history.
pub(crate) struct Account {
    secret: String,
    /// What a failure is called by.
    name: String,
    begun: Instant,
    /// Where the server listens; another place after each start.
    address: RwLock<String>,
    board: Mutex<Board>,
}

/// What clients tell each other. It orders nothing: whoever looks at it goes on at once.
#[derive(Default)]
struct Board {
    ids: Ids,
    ops: Vec<Op>,
    number: u32,
    /// Key, and the request it was first used for.
    keys: Vec<Call>,
    /// Requests with a key that nobody heard an answer to.
    unheard: Vec<(u16, Call)>,
    /// Bytes that were answered under a key.
    bodies: BTreeMap<u16, (u16, String)>,
    values: u32,
}

/// A request as it is sent.
struct Wish {
    call: Call,
    key: Option<u16>,
}

impl Account {
    /// An account with a customer.
    pub(crate) fn new(address: &str, secret: String, name: String) -> Account {
        let account = Account {
            secret,
            name,
            begun: Instant::now(),
            address: RwLock::new(address.to_owned()),
            board: Mutex::default(),
        };
        let body = crate::wire::bytes(&account.secret, "POST", "/v1/customers", "", None);
        let Ended::Answered(http) = Socket::default().exchange(address, &body, Manners::Waits) else {
            panic!("the server at {address} does not answer");
        };
        assert_eq!(http.status, 200, "{http:?}");
        account.board().ids.customer = http.id();
        account
    }

    /// The server was started again.
    pub(crate) fn moved(&self, address: &str) {
        address.clone_into(&mut self.address.write().expect("no client panics while it looks"));
    }

    /// Lets clients race while `meanwhile` runs, until each has asked what it wants to.
    pub(crate) fn race(&self, race: &Race, random: &mut Random, meanwhile: impl FnOnce()) {
        let forks: Vec<Random> = (0..race.clients).map(|_| random.fork()).collect();
        std::thread::scope(|scope| {
            let mut clients = Vec::new();
            for (client, mut random) in (1..).zip(forks) {
                clients.push(scope.spawn(move || {
                    let mut socket = Socket::default();
                    for _ in 0..race.requests {
                        self.one(race, client, &mut socket, &mut random);
                    }
                }));
            }
            meanwhile();
            let panics = clients.into_iter().filter_map(|client| client.join().err());
            let panics: Vec<String> = panics
                .filter_map(|panic| panic.downcast().ok().map(|text| *text))
                .collect();
            assert!(panics.is_empty(), "{}: {}", self.name, panics.join("; "));
        });
    }

    /// What nobody heard is asked again with the same keys; then everything is looked at until nothing is under way. The
    /// whole history.
    pub(crate) fn settled(&self, race: &Race) -> Vec<Op> {
        let mut socket = Socket::default();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Some((key, call)) = self.board().unheard.pop() else {
                break;
            };
            assert!(
                Instant::now() < deadline,
                "what was unheard stays so: key {key} {call:?}"
            );
            let again = Wish {
                call: call.clone(),
                key: Some(key),
            };
            if let Some(Answer::KeyInUse | Answer::LockTimeout) = self.send(0, &mut socket, &again, Manners::Waits) {
                std::thread::sleep(Duration::from_millis(50));
                self.board().unheard.push((key, call));
            }
        }
        for slot in 0..race.slots {
            while self.is_processing(&mut socket, slot) {
                assert!(Instant::now() < deadline, "slot {slot} stays in processing");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        let per_slot = |slot| [Call::Charges { slot }, Call::Refunds { slot }];
        let reads = (0..race.slots).flat_map(per_slot);
        for call in reads.chain([Call::Intents, Call::Customer, Call::Balance]) {
            self.send(0, &mut socket, &Wish { call, key: None }, Manners::Waits);
        }
        std::mem::take(&mut self.board().ops)
    }

    fn is_processing(&self, socket: &mut Socket, slot: u8) -> bool {
        let get = Wish {
            call: Call::Get { slot },
            key: None,
        };
        let answer = self.send(0, socket, &get, Manners::Waits);
        matches!(answer, Some(Answer::Intent(shown)) if shown.status == crate::history::Status::Processing)
    }

    /// Asks for one thing.
    fn one(&self, race: &Race, client: u8, socket: &mut Socket, random: &mut Random) {
        if random.percent(race.pauses) {
            std::thread::sleep(Duration::from_micros(random.below(4_000)));
        }
        let wish = self.board().wish(race, random);
        let manners = match random.below(100) {
            roll if roll < race.hang_ups / 2 => Manners::HangsUpMidway(1 + random.below(98)),
            roll if roll < race.hang_ups => Manners::HangsUp,
            _ => Manners::Waits,
        };
        self.send(client, socket, &wish, manners);
    }

    fn send(&self, client: u8, socket: &mut Socket, wish: &Wish, manners: Manners) -> Option<Answer> {
        let ids = self.board().ids.clone();
        let key = wish.key.map(|key| format!("key-{key}"));
        let bytes = request(&self.secret, &wish.call, key.as_deref(), &ids)?;
        let deadline = Instant::now() + PATIENCE;
        let (asked, ended) = loop {
            let address = self.address.read().expect("the address is only replaced").clone();
            let asked = self.now();
            match socket.exchange(&address, &bytes, manners) {
                Ended::Unsent => {
                    assert!(Instant::now() < deadline, "nobody listens at {address}");
                    std::thread::sleep(Duration::from_millis(2));
                }
                ended => break (asked, ended),
            }
        };
        let answered = self.now();
        if matches!(manners, Manners::HangsUpMidway(_)) {
            // Half a request asks for nothing. It is not in the history, so whatever it does is unexplained.
            return None;
        }
        let mut board = self.board();
        match ended {
            Ended::Unsent => unreachable!("it was tried until it was sent"),
            Ended::Unheard => {
                if !wish.call.is_read() {
                    let span = Span { asked, answered: None };
                    board.write_down(client, wish, &[(wish.call.clone(), None)], false, span);
                    board.unheard.extend(wish.key.map(|key| (key, wish.call.clone())));
                }
                None
            }
            Ended::Answered(http) => {
                let span = Span {
                    asked,
                    answered: Some(answered),
                };
                let said = understood(&wish.call, &http);
                if let Some((slot, id)) = intent_of(&http) {
                    board.learn(slot, id);
                }
                let replayed = http.header("idempotent-replayed") == Some("true");
                let first = said.first().map(|(_, answer)| answer.clone());
                let said: Vec<_> = said.into_iter().map(|(call, answer)| (call, Some(answer))).collect();
                board.write_down(client, wish, &said, replayed, span);
                if let (Some(key), Some("false")) = (wish.key, http.header("stripe-should-retry")) {
                    board.heard(key, (http.status, http.text));
                }
                first
            }
        }
    }

    fn now(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        // A client that panicked has left it whole, and its panic is told when all have come to their end.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn write_down(&mut self, client: u8, wish: &Wish, said: &[(Call, Option<Answer>)], replayed: bool, span: Span) {
        self.number += 1;
        assert!(
            self.ops.len() + said.len() <= OPS_MAX,
            "the history becomes too long to be checked"
        );
        let number = self.number;
        self.ops.extend(said.iter().map(|(call, answer)| Op {
            number,
            client,
            call: call.clone(),
            key: wish.key,
            answer: answer.clone(),
            replayed,
            span,
        }));
    }

    fn learn(&mut self, slot: u8, id: String) {
        let at = usize::from(slot);
        if self.ids.intents.len() <= at {
            self.ids.intents.resize(at + 1, None);
        }
        let known = self.ids.intents[at].get_or_insert_with(|| id.clone());
        assert_eq!(*known, id, "slot {slot} was made twice");
    }

    /// A stored answer is the same bytes for everyone.
    fn heard(&mut self, key: u16, answer: (u16, String)) {
        let known = self.bodies.entry(key).or_insert_with(|| answer.clone());
        assert_eq!(*known, answer, "key {key} was answered twice, differently");
    }

    /// What to ask next.
    fn wish(&mut self, race: &Race, random: &mut Random) -> Wish {
        // Somebody else's request, once more: what nobody heard, what is under way, what was answered long ago.
        if !self.unheard.is_empty() && random.percent(40) {
            let at = random.below(self.unheard.len() as u64) as usize;
            let (key, call) = self.unheard.swap_remove(at);
            return Wish { call, key: Some(key) };
        }
        if !self.keys.is_empty() && random.percent(12) {
            let key = random.below(self.keys.len() as u64) as u16;
            let call = self.keys[usize::from(key)].clone();
            return Wish { call, key: Some(key) };
        }
        let call = self.call(race, random);
        if call.is_read() {
            return Wish { call, key: None };
        }
        let creates = matches!(call, Call::Create { .. });
        if !creates && !self.keys.is_empty() && random.percent(5) {
            // A key of something else. If that was the same after all, it is a repetition.
            let key = random.below(self.keys.len() as u64) as u16;
            return Wish { call, key: Some(key) };
        }
        if creates || random.percent(race.keyed) {
            self.keys.push(call.clone());
            let key = (self.keys.len() - 1) as u16;
            return Wish { call, key: Some(key) };
        }
        Wish { call, key: None }
    }

    fn call(&mut self, race: &Race, random: &mut Random) -> Call {
        let made = |call: &&Call| matches!(call, Call::Create { .. });
        let slots = self.keys.iter().filter(made).count() as u8;
        if slots == 0 || (slots < race.slots && random.percent(20)) {
            let amount = 1_000 + random.below(4_000) as i64;
            let card = random.percent(60).then(|| *random.one(race.cards));
            let manual = random.percent(65);
            return Call::Create {
                slot: slots,
                amount,
                manual,
                card,
            };
        }
        // The newest is where the race is.
        let slot = if random.percent(60) {
            slots - 1
        } else {
            random.below(u64::from(slots)) as u8
        };
        let part = |random: &mut Random, most: u64| {
            let amount = 1 + random.below(most) as i64;
            random.percent(70).then_some(amount)
        };
        match random.below(100) {
            0..14 => Call::Confirm {
                slot,
                card: *random.one(race.cards),
            },
            14..28 => Call::Capture {
                slot,
                amount: part(random, 5_500),
            },
            28..36 => Call::Cancel { slot },
            36..54 => Call::Refund {
                slot,
                amount: part(random, 2_000),
            },
            54..60 => {
                self.values += 1;
                let field = random.below(FIELDS as u64) as u8;
                Call::Update {
                    field,
                    value: self.values,
                }
            }
            60..74 => Call::Get { slot },
            74..78 => Call::Intents,
            78..84 => Call::Charges { slot },
            84..88 => Call::Refunds { slot },
            88..92 => Call::Customer,
            _ => Call::Balance,
        }
    }
}
