//! The end of a run: the weather clears, whoever still waits asks until answered, everything is read back.

use super::asking::get;
use super::{Happening, World};
use crate::auditor::Failure;
use crate::bodies::endpoints::switch;
use crate::clients::{Session, Stage};
use crate::merchants::Body;
use crate::plan::{CLOCK_ERROR_MS_MAX, HOUR_MS};
use tollgate_domain::{Call, Read};

/// Within so long everybody knows that an endpoint was switched on, milliseconds.
const SWITCHED_ON_MS: u64 = 60_000;
/// Longest time in which everything must come once receivers are well, milliseconds: retries are an hour apart at most, by a
/// clock that may have been wrong when the process started.
const DELIVER_MS_MAX: u64 = CLOCK_ERROR_MS_MAX + 2 * HOUR_MS;

impl World<'_> {
    /// No more faults: the clock is right, the network and the store answer.
    pub(super) fn clear_up(&mut self) -> Result<(), Failure> {
        self.calm = true;
        self.off_ms = 0;
        self.queue
            .retain(|entry| !matches!(entry.0.what, Happening::ClockBack(_)));
        self.stall_until_ms = 0;
        self.outage_until_ms = 0;
        self.store.fail_reads(false);
        self.ports.clear_traps();
        self.hosts.iter_mut().for_each(|host| host.ill = None);
        // Whoever was away is back.
        self.moods.clear();
        self.knock()
    }

    /// Everyone who still waits tries again. An operator who sees a clock alarm while the clock is right restarts the
    /// process, which is what ends it.
    pub(super) fn knock(&mut self) -> Result<(), Failure> {
        if self.hosts.iter().any(|host| host.alarmed) {
            self.kill(1_000)?;
        }
        let open: Vec<usize> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.stage == Stage::Open && session.slot == u32::MAX && !session.queued)
            .map(|(at, _)| *at)
            .collect();
        for at in open {
            self.send(at)?;
        }
        Ok(())
    }

    pub(super) fn is_settled(&self) -> bool {
        self.up
            && self.post_is_quiet()
            && self.submitted.is_empty()
            && self.sessions.values().all(|session| session.stage != Stage::Open)
            && self.auditor.open().is_none()
    }

    pub(super) fn what_is_open(&self) -> String {
        let open = self
            .sessions
            .iter()
            .find(|(_, session)| session.stage == Stage::Open)
            .map(|(at, session)| format!("step {at} was never answered after {} tries", session.tries));
        open.or_else(|| self.auditor.open())
            .unwrap_or_else(|| "the process is down or a block waits".into())
    }

    /// Endpoints that are switched off are switched on, what was given up is sent again, and everything comes.
    pub(super) fn deliver_rest(&mut self) -> Result<(), Failure> {
        let endpoints = self.auditor.endpoints();
        for (number, (key, is_off)) in endpoints.iter().enumerate() {
            let id = self.auditor.endpoint_id(*key).filter(|_| *is_off);
            if let Some(id) = id {
                let account = self.merchants.iter().position(|merchant| merchant.key.0 == key.account);
                let step = usize::MAX / 4 + number;
                let session = Session::new(
                    account.expect("an account of the run"),
                    Body::new(Call::Write(switch(id, false, step)), &[]),
                    Some(format!("key {step}")),
                    10_000,
                );
                self.open(step, session)?;
            }
        }
        self.until(self.now_ms + SWITCHED_ON_MS)?;
        endpoints.iter().for_each(|(key, _)| self.repair(*key));
        let bound_ms = self.now_ms + DELIVER_MS_MAX;
        while let Some(missing) = self.auditor.undelivered() {
            if self.now_ms > bound_ms {
                return Err(self.auditor.fail("deliveries", missing));
            }
            self.until(self.now_ms + 60_000)?;
        }
        // What was heard last is compared at the next turn.
        self.until(self.now_ms + 60_000)?;
        for (account, seq) in self.auditor.wanted_events() {
            self.compare_pending(account, seq)?;
        }
        Ok(())
    }

    /// Reads everything there is through the shards; the auditor compares.
    pub(super) fn read_back(&mut self) -> Result<(), Failure> {
        let mut next = usize::MAX / 2;
        for (account, profile) in self.merchants.clone().into_iter().enumerate() {
            let mut bodies: Vec<Body> = self
                .auditor
                .newest(profile.key)
                .into_iter()
                .map(|object| get(object.kind(), object.id()))
                .collect();
            bodies.push(Body::new(Call::Read(Read::Balance), &[]));
            for body in bodies {
                next += 1;
                let session = Session::new(account, body, None, 600_000);
                self.open(next, session)?;
                if next % 64 == 0 {
                    self.until(self.now_ms + 2_000)?;
                }
            }
        }
        self.until(self.now_ms + 600_000)?;
        match self
            .sessions
            .iter()
            .rev()
            .find(|(_, session)| session.stage == Stage::Open)
        {
            Some((at, _)) => Err(self
                .auditor
                .fail("liveness", format!("read {at} at the end was never answered"))),
            None => Ok(()),
        }
    }
}
