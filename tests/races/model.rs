//! A history as the checker wants it: which steps of which request an account allows, keys and their repetitions included.

use crate::account::{Account, Intent, Key, Outcome, World};
use crate::checker::{Model, Span};
use crate::history::{Answer, Op, Status};

/// A history together with the account it is about.
pub(crate) struct Histories {
    world: World,
    ops: Vec<Op>,
    /// Requests that nobody heard and that are known to have done nothing, or nothing that another one did not.
    idle: Vec<bool>,
    /// Equal for requests with the same key and body.
    body: Vec<u16>,
    /// Whether another request with the same key was under way at some moment of this one, and whether one with another
    /// body was.
    rivals: Vec<(bool, bool)>,
}

impl Histories {
    /// With what replays tell of requests that nobody heard: many of those at once make a search long.
    pub(crate) fn of(world: World, ops: &[Op]) -> Histories {
        let mut model = Histories::plain(world, ops);
        for at in 0..ops.len() {
            model.resolve(at);
        }
        model
    }

    /// A request with a key that nobody heard, and what others with the same key and body were told (`executed` without
    /// and `repeats` with the mark of a replay). At most one of a key is carried out, so:
    ///
    /// - if another one was, this one was not: it would have come first, and the other one have been a replay, or it came
    ///   later and did nothing;
    /// - else, of several that nobody heard the first may stand for all: it may be carried out whenever another may;
    /// - if there are replays, it was carried out before the first of them ended, and was answered what they repeat.
    fn resolve(&mut self, at: usize) {
        let op = &self.ops[at];
        if op.answer.is_some() || op.key.is_none() {
            return;
        }
        let same = (0..self.ops.len()).filter(|&other| {
            let it = &self.ops[other];
            other != at && it.key == op.key && it.call == op.call
        });
        let about_key = |answer: &Answer| matches!(answer, Answer::LockTimeout | Answer::KeyInUse | Answer::KeyMisused);
        let (mut executed, mut first) = (false, true);
        let mut repeats: Option<(u64, Answer)> = None;
        for other in same {
            let it = &self.ops[other];
            match (&it.answer, it.span.answered) {
                (Some(answer), Some(answered)) if it.replayed => {
                    if repeats.as_ref().is_none_or(|(known, _)| answered < *known) {
                        repeats = Some((answered, answer.clone()));
                    }
                }
                (Some(answer), _) => executed |= !about_key(answer),
                (None, _) => {
                    let earlier = (it.span.asked, other) < (op.span.asked, at);
                    first &= self.idle[other] || !earlier;
                }
            }
        }
        if executed || !first {
            self.idle[at] = true;
        } else if let Some((answered, answer)) = repeats.filter(|(answered, _)| *answered >= op.span.asked) {
            let op = &mut self.ops[at];
            op.answer = Some(answer);
            op.span.answered = Some(answered);
        }
    }

    /// With nothing concluded beforehand.
    pub(crate) fn plain(world: World, ops: &[Op]) -> Histories {
        let same_key = |a: &Op, b: &Op| a.key.is_some() && a.key == b.key;
        let body = ops
            .iter()
            .map(|op| {
                ops.iter()
                    .position(|first| same_key(op, first) && op.call == first.call)
            })
            .map(|first| first.unwrap_or_default() as u16)
            .collect();
        let overlap =
            |a: Span, b: Span| a.asked <= b.answered.unwrap_or(u64::MAX) && b.asked <= a.answered.unwrap_or(u64::MAX);
        let rivals = ops.iter().enumerate().map(|(at, op)| {
            // Who was told that somebody else has the key did not have it.
            let may_hold = |it: &Op| !it.replayed && !matches!(it.answer, Some(Answer::KeyInUse | Answer::KeyMisused));
            let others = ops
                .iter()
                .enumerate()
                .filter(|(other, it)| *other != at && same_key(op, it) && may_hold(it) && overlap(op.span, it.span));
            let others: Vec<&Op> = others.map(|(_, it)| it).collect();
            (!others.is_empty(), others.iter().any(|it| it.call != op.call))
        });
        Histories {
            world,
            rivals: rivals.collect(),
            body,
            idle: vec![false; ops.len()],
            ops: ops.to_vec(),
        }
    }

    /// What the request is answered if it is carried out after those before it, in their order; empty if it cannot be, or
    /// has no answer of its own.
    pub(crate) fn answers(world: World, before: &[Op], next: &Op) -> Vec<Answer> {
        let mut ops = before.to_vec();
        ops.push(next.clone());
        let model = Histories::of(world, &ops);
        let mut account = Account::default();
        for at in 0..before.len() {
            let Some((after, true)) = model.steps(&account, at).pop() else {
                return Vec::new();
            };
            account = after;
        }
        match account.execute(world, &next.call, before.len()) {
            Outcome::Answered(answer) => vec![answer],
            Outcome::Begun | Outcome::Waits => Vec::new(),
        }
    }

    /// Whether a 409 or the refusal to use a key for something else is right here.
    fn key_refused(&self, account: &Account, op: usize, answer: &Answer) -> bool {
        let known = self.ops[op].key.and_then(|key| account.keys.get(&key));
        let (any, other) = self.rivals[op];
        match answer {
            Answer::KeyInUse => any || known.is_some_and(|known| known.answer.is_none()),
            _ => other || known.is_some_and(|known| known.body != self.body[op]),
        }
    }
}

impl Model for Histories {
    type State = Account;

    fn start(&self) -> Account {
        Account::default()
    }

    fn len(&self) -> usize {
        self.ops.len()
    }

    fn span(&self, op: usize) -> Span {
        self.ops[op].span
    }

    fn steps(&self, before: &Account, at: usize) -> Vec<(Account, bool)> {
        let op = &self.ops[at];
        if self.idle[at] {
            return Vec::new();
        }
        let ends_here = |right: bool| {
            if right {
                vec![(before.clone(), true)]
            } else {
                Vec::new()
            }
        };
        match &op.answer {
            Some(answer @ (Answer::KeyInUse | Answer::KeyMisused)) => {
                return ends_here(self.key_refused(before, at, answer));
            }
            Some(Answer::LockTimeout) => {
                let of = |slot| before.intents.iter().find(|known| known.slot == slot);
                return ends_here(op.call.slot().and_then(of).is_some_and(Intent::is_called));
            }
            _ => {}
        }
        if let Some(known) = op.key.and_then(|key| before.keys.get(&key)) {
            let repeats = op.replayed && known.body == self.body[at];
            return ends_here(repeats && known.answer.is_some() && known.answer == op.answer);
        }
        if op.replayed {
            return Vec::new();
        }
        let mut after = before.clone();
        let (answer, ends) = match after.execute(self.world, &op.call, at) {
            Outcome::Waits => return Vec::new(),
            Outcome::Begun => (None, false),
            Outcome::Answered(answer) => (Some(answer), true),
        };
        let fits = match (&op.answer, &answer) {
            (Some(heard), Some(given)) => heard == given,
            (Some(heard), None) => matches!(heard, Answer::Intent(_) | Answer::Declined(_)),
            (None, _) => true,
        };
        if !fits {
            return Vec::new();
        }
        if let Some(key) = op.key {
            let body = self.body[at];
            after.keys.insert(key, Key { body, answer });
        }
        vec![(after, ends)]
    }

    fn spontaneous(&self, before: &Account) -> Vec<(Account, Option<usize>)> {
        let mut all = Vec::new();
        for (at, intent) in before.intents.iter().enumerate() {
            let by = intent.attempt.as_ref().and_then(|attempt| attempt.by);
            for (next, answer) in intent.outcomes() {
                if by.is_some_and(|op| self.ops[op].answer.as_ref().is_some_and(|heard| *heard != answer)) {
                    continue;
                }
                let mut after = before.clone();
                after.intents[at] = next;
                if let Some(key) = by.and_then(|op| self.ops[op].key) {
                    let known = after.keys.get_mut(&key).expect("whoever began holds its key");
                    known.answer = Some(answer);
                }
                all.push((after, by));
            }
            if self.world.holds_expire && intent.status == Status::RequiresCapture && intent.attempt.is_none() {
                let mut after = before.clone();
                after.intents[at].status = Status::Canceled;
                all.push((after, None));
            }
        }
        all
    }

    fn is_pure(&self, op: usize) -> bool {
        let op = &self.ops[op];
        let answer = op.answer.as_ref();
        let about_key = matches!(
            answer,
            Some(Answer::LockTimeout | Answer::KeyInUse | Answer::KeyMisused)
        );
        let refused = op.key.is_none() && matches!(answer, Some(Answer::Refused(_)));
        answer.is_some() && (op.call.is_read() || op.replayed || about_key || refused)
    }
}
