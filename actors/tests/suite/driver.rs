//! One shard on a store in memory, driven turn by turn: the driver decides when time passes, when a load is read, when a
//! block is durable.

use crate::office::{START_MS, secrets};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use tollgate_actors::clock::Now;
use tollgate_actors::entropy::Entropy;
use tollgate_actors::metrics::Meters;
use tollgate_actors::readers::{find_account, find_key, find_object};
use tollgate_actors::request::{Answer, Delivery, Refusal, ReplyTo, Request, Response};
use tollgate_actors::settings::ShardSettings;
use tollgate_actors::shard::{Ask, CallOut, Control, Inbox, Load, Loaded, Outputs, Wanted};
use tollgate_actors::supervisor::{Supervised, Turned};
use tollgate_domain::account::Profile;
use tollgate_domain::acquirer::{AttemptId, NetworkAnswer};
use tollgate_domain::{Account, AccountKey, Facts};
use tollgate_resource::Record;
use tollgate_store::memory::{Fate, Memory, Mode};
use tollgate_store::{
    AccountRef, Commit, Epoch, Fetched, Journal, KeyHash, PageQuery, Reads, ShardId, StoreError, envelope,
};

pub(crate) const SHARD: ShardId = ShardId(0);

/// What came out of a `Done`.
#[derive(Default)]
struct Heard {
    deliveries: Vec<Delivery>,
    calls: Vec<CallOut>,
    control: Vec<Control>,
    fenced: Vec<Epoch>,
}

pub(crate) struct Driver {
    pub(crate) store: Arc<Memory>,
    pub(crate) settings: Arc<ShardSettings>,
    pub(crate) now: Now,
    pub(crate) entropy: Entropy,
    supervised: Supervised,
    inbox: Inbox,
    heard: Arc<Mutex<Heard>>,
    /// Wishes to read, oldest first.
    pub(crate) loads: VecDeque<(Epoch, Load)>,
    /// Calls that left.
    pub(crate) calls: Vec<CallOut>,
    /// Answers by request, as they arrived first.
    pub(crate) answers: BTreeMap<u32, Answer>,
    profiles: BTreeMap<u64, Arc<Profile>>,
    trap: Arc<Trap>,
    next: u32,
    /// How often the shard was rebuilt.
    pub(crate) rebuilds: u32,
    warded: bool,
    /// The incarnation that waits to hear whose the shard is.
    pub(crate) asking: Option<Epoch>,
}

impl Driver {
    pub(crate) fn new(settings: ShardSettings) -> Driver {
        Driver::on(Memory::new(Mode::Held), settings, START_MS)
    }

    /// A shard that others may take over.
    pub(crate) fn warded(settings: ShardSettings) -> Driver {
        Driver::made(Memory::new(Mode::Held), settings, START_MS, true)
    }

    pub(crate) fn on(store: Arc<Memory>, settings: ShardSettings, unix_ms: u64) -> Driver {
        Driver::made(store, settings, unix_ms, false)
    }

    fn made(store: Arc<Memory>, settings: ShardSettings, unix_ms: u64, warded: bool) -> Driver {
        let settings = Arc::new(settings);
        let trap = Arc::new(Trap {
            store: Arc::clone(&store),
            keys: Mutex::default(),
            suspects: Mutex::default(),
        });
        let claimed = store.claim(SHARD).expect("the shard can be claimed");
        let reads = Arc::clone(&trap) as Arc<dyn Reads>;
        let meters = Arc::new(Meters::new());
        let mut supervised = Supervised::away(SHARD, Arc::clone(&settings), secrets(), reads, meters);
        if warded {
            supervised = supervised.warded();
        }
        supervised.rebuild(&claimed);
        Driver {
            store,
            settings,
            now: Now { unix_ms, steady_ms: 0 },
            entropy: Entropy::new(7),
            supervised,
            inbox: Inbox::default(),
            heard: Arc::default(),
            loads: VecDeque::new(),
            calls: Vec::new(),
            answers: BTreeMap::new(),
            profiles: BTreeMap::new(),
            trap,
            next: 0,
            rebuilds: 0,
            warded,
            asking: None,
        }
    }

    /// Asks, and tells the number under which the answer will be found.
    pub(crate) fn ask(&mut self, request: Request) -> u32 {
        self.next += 1;
        self.profiles
            .insert(request.profile.key.0, Arc::clone(&request.profile));
        let to = ReplyTo {
            worker: 0,
            slot: self.next,
            generation: 0,
        };
        self.inbox.work.push_back(Ask::new(to, Arc::new(request)));
        self.next
    }

    /// Whether blocks with room wait from now on.
    pub(crate) fn hold(&mut self, hold: bool) {
        self.inbox.hold = if hold { u32::MAX } else { 0 };
    }

    /// One turn of the shard.
    pub(crate) fn turn(&mut self) {
        let mut out = Outputs::default();
        let turned = self
            .supervised
            .turn(self.now, &mut self.entropy, &mut self.inbox, &mut out);
        self.perform(turned, out);
        self.listen();
    }

    /// Reads the oldest wish.
    pub(crate) fn load_next(&mut self) -> bool {
        let Some((epoch, load)) = self.loads.pop_front() else {
            return false;
        };
        let found = match &load.wanted {
            Wanted::Account(profile) => {
                let profile = profile
                    .clone()
                    .unwrap_or_else(|| Arc::clone(&self.profiles[&load.account.0]));
                find_account(&*self.store, &profile)
            }
            Wanted::Object(seq) => find_object(&*self.store, load.account, *seq),
            Wanted::Key(hash) => find_key(&*self.store, load.account, hash),
        };
        let loaded = Box::new(Loaded {
            load,
            found: found.map_err(|error| error.to_string()),
        });
        self.inbox.control.push_back(Control::Loaded { epoch, loaded });
        true
    }

    /// Decides what becomes of the block that waits, if any.
    pub(crate) fn settle(&mut self, fate: Fate) -> bool {
        let settled = self.store.settle(SHARD, fate);
        self.listen();
        settled
    }

    /// Answers the block that was written unanswered.
    pub(crate) fn answer_block(&mut self) -> bool {
        let answered = self.store.answer(SHARD);
        self.listen();
        answered
    }

    /// Tells the shard that it is still here, or that nobody knows. False when it did not ask.
    pub(crate) fn stand(&mut self, known: bool) -> bool {
        let asking = self.asking.take();
        let stood = asking.map(|epoch| Control::Stood { epoch, known });
        self.inbox.control.extend(stood);
        asking.is_some()
    }

    /// Turns, loads and commits until nothing moves, and nobody says whose the shard is.
    pub(crate) fn run_unknown(&mut self) {
        for _ in 0..10_000 {
            self.turn();
            let moves = self.load_next() || self.settle(Fate::Durable);
            if !moves && self.inbox.work.is_empty() && self.inbox.control.is_empty() {
                return;
            }
        }
        panic!("the shard does not come to rest");
    }

    /// Turns, loads and commits until nothing moves.
    pub(crate) fn run(&mut self) {
        for _ in 0..10_000 {
            self.turn();
            let loaded = self.load_next();
            let settled = self.settle(Fate::Durable) || self.answer_block() || self.stand(true);
            if !loaded && !settled && self.inbox.work.is_empty() && self.inbox.control.is_empty() {
                return;
            }
        }
        panic!("the shard does not come to rest");
    }

    /// Asks and runs until it is answered.
    pub(crate) fn call(&mut self, request: Request) -> Box<Response> {
        let asked = self.ask(request);
        self.run();
        self.answer(asked)
    }

    /// The answer to a request, which must be there.
    pub(crate) fn answer(&self, asked: u32) -> Box<Response> {
        match self.answers.get(&asked) {
            Some(Ok(response)) => response.clone(),
            other => panic!("request {asked} was answered {other:?}"),
        }
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.now.unix_ms += ms;
        self.now.steady_ms += ms;
    }

    /// A network's word arrives.
    pub(crate) fn network_says(&mut self, account: AccountKey, attempt: AttemptId, answer: NetworkAnswer) {
        self.inbox.control.push_back(Control::Answered {
            account,
            attempt,
            answer,
        });
    }

    /// The process is killed and started again: nothing but the durable blocks is left.
    pub(crate) fn kill(self) -> Driver {
        let store = self.store.crash();
        let mut next = Driver::made(store, (*self.settings).clone(), self.now.unix_ms, self.warded);
        next.entropy = self.entropy;
        next.profiles = self.profiles;
        next.next = self.next;
        next.answers = self.answers;
        next
    }

    /// From now on the filter wrongly says that the key was seen.
    pub(crate) fn suspect(&self, key: KeyHash) {
        self.trap.suspects.lock().expect("not poisoned").insert(key);
    }

    /// From now on the shard panics when it meets the key.
    pub(crate) fn set_trap(&self, key: KeyHash) {
        self.trap.keys.lock().expect("not poisoned").insert(key);
    }

    pub(crate) fn supervised(&self) -> &Supervised {
        &self.supervised
    }

    /// Accounts, objects and keys in memory.
    pub(crate) fn population(&self) -> (usize, usize, usize) {
        self.supervised.shard().expect("the shard serves").population()
    }

    /// Every durable record of an account, in order.
    pub(crate) fn facts(&self, account: AccountKey) -> Vec<Facts> {
        let mut all = Vec::new();
        for block in self.store.blocks() {
            for record in envelope::records(&block.bytes, block.count) {
                let record = record.expect("a durable record reads back");
                if record.head.account == account.0 && !record.head.row {
                    all.push(Facts::from_bytes(record.body).expect("facts read back"));
                }
            }
        }
        all
    }

    /// The account as replay from the very start makes it.
    pub(crate) fn replayed(&self, profile: &Arc<Profile>) -> Account {
        let mut account = Account::new(Arc::clone(profile));
        self.facts(profile.key).iter().for_each(|facts| account.apply(facts));
        account
    }

    fn perform(&mut self, turned: Turned, out: Outputs) {
        self.deliver(out.replies);
        if turned == Turned::Crashed {
            self.recover();
            return;
        }
        let Some(epoch) = self.supervised.epoch() else { return };
        if out.asks {
            assert!(self.warded && self.asking.is_none(), "one look is under way at a time");
            self.asking = Some(epoch);
        }
        self.loads.extend(out.loads.into_iter().map(|load| (epoch, load)));
        let Some(sealed) = out.sealed else { return };
        let (heard, epoch, seq) = (Arc::clone(&self.heard), sealed.block.epoch, sealed.block.seq);
        let release = sealed.release;
        let done = Box::new(move |commit| {
            let mut heard = heard.lock().expect("not poisoned");
            if commit == Commit::Durable {
                heard.deliveries.extend(release.replies);
                heard.calls.extend(release.calls);
                heard.control.push(Control::Committed { epoch, seq });
            } else {
                let lost = release.replies.into_iter();
                heard.deliveries.extend(lost.map(|lost| Delivery {
                    to: lost.to,
                    answer: Err(Refusal::ShardDown),
                }));
                heard.fenced.push(epoch);
            }
        });
        self.store.submit(sealed.block, done);
    }

    fn listen(&mut self) {
        let Heard {
            deliveries,
            calls,
            control,
            fenced,
        } = std::mem::take(&mut *self.heard.lock().expect("not poisoned"));
        self.deliver(deliveries);
        self.calls.extend(calls);
        self.inbox.control.extend(control);
        for epoch in fenced {
            if self.supervised.epoch() == Some(epoch) {
                let mut out = Outputs::default();
                self.supervised.fenced(self.now, &mut out);
                self.deliver(out.replies);
                self.recover();
            }
        }
    }

    fn recover(&mut self) {
        self.loads.clear();
        self.asking = None;
        if !self.supervised.is_failed() {
            self.rebuilds += 1;
            let claimed = self.store.claim(SHARD).expect("the shard can be claimed");
            self.supervised.rebuild(&claimed);
        }
    }

    fn deliver(&mut self, deliveries: Vec<Delivery>) {
        for Delivery { to, answer } in deliveries {
            self.answers.entry(to.slot).or_insert(answer);
        }
    }
}

/// Reads of the store, and a panic for whoever asks about a trapped key.
struct Trap {
    store: Arc<Memory>,
    keys: Mutex<BTreeSet<KeyHash>>,
    suspects: Mutex<BTreeSet<KeyHash>>,
}

impl Reads for Trap {
    fn newest(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.store.newest(account, seq)
    }
    fn birth(&self, account: AccountRef, seq: u64) -> Result<Option<Fetched>, StoreError> {
        self.store.birth(account, seq)
    }
    fn key_may_exist(&self, account: AccountRef, key: &KeyHash) -> bool {
        let trapped = self.keys.lock().expect("not poisoned").contains(key);
        assert!(!trapped, "the driver's trap");
        self.suspects.lock().expect("not poisoned").contains(key) || self.store.key_may_exist(account, key)
    }
    fn by_key(&self, account: AccountRef, key: &KeyHash) -> Result<Option<Fetched>, StoreError> {
        self.store.by_key(account, key)
    }
    fn page(
        &self,
        query: &PageQuery<'_>,
        accept: &mut dyn FnMut(u64, &Fetched) -> bool,
    ) -> Result<Vec<u64>, StoreError> {
        self.store.page(query, accept)
    }
    fn replay_account(
        &self,
        account: AccountRef,
        visit: &mut dyn FnMut(&Fetched) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.replay_account(account, visit)
    }
    fn timers_due(&self, shard: ShardId, until_ms: u64, limit: usize) -> Vec<(u64, AccountRef, u64)> {
        self.store.timers_due(shard, until_ms, limit)
    }
    fn timers_done(&self, shard: ShardId, timers: &[(u64, AccountRef, u64)]) {
        self.store.timers_done(shard, timers);
    }
    fn accounts(&self, shard: ShardId) -> Vec<(AccountRef, u64)> {
        self.store.accounts(shard)
    }
}
