//! The end of a run: the weather clears, whoever still waits asks until answered, everything is read back.

use super::asking::get;
use super::{Happening, World};
use crate::auditor::Failure;
use crate::clients::{Session, Stage};
use crate::merchants::Body;
use tollgate_domain::{Call, Read};

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
                let session = Session {
                    account,
                    body,
                    key: None,
                    patience_ms: 600_000,
                    hangs_up: false,
                    tries: 0,
                    slot: 0,
                    queued: false,
                    stage: Stage::Open,
                    learnt: None,
                };
                self.sessions.insert(next, session);
                self.send(next)?;
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
