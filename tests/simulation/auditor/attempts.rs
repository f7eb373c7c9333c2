//! Attempts at the remote network: how they go on, and that somebody said how they end.

use super::records::{Case, Wrong, wrong};
use tollgate_domain::acquirer::{Asked, Said};
use tollgate_domain::payments::attempt::{Attempt, Phase};
use tollgate_resource::Id;

impl Case<'_> {
    /// An attempt that begins: called once in its record, for so much.
    pub(super) fn begins(&self, id: Id, begun: &Attempt, amount: i64) -> Result<(), Wrong> {
        let calls: Vec<_> = self.facts.calls.iter().map(|call| call.attempt).collect();
        if !matches!(begun.phase, Phase::Calling { .. }) || calls != [begun.id(id)] || begun.amount != amount {
            return wrong("attempts", format!("{begun:?} for {amount} with calls {calls:?}"));
        }
        Ok(())
    }

    /// An attempt that stays open, or a release that ends.
    pub(super) fn goes_on(&self, id: Id, open: &Attempt, next: Option<&Attempt>) -> Result<(), Wrong> {
        if self.command.is_some() {
            return wrong(
                "nothing unexplained",
                format!("{:?} moved an open attempt", self.command),
            );
        }
        let Some(next) = next else {
            return self.heard_end(id, open);
        };
        let order = |phase: &Phase| match phase {
            Phase::Calling { .. } => 0,
            Phase::Inquiring { .. } => 1,
            Phase::Reversing { .. } => 2,
        };
        let (was, is) = (order(&open.phase), order(&next.phase));
        let not_found = |to, said| to == Asked::Inquiry && said == Said::NotFound;
        let may_reverse = was == 2 || (self.told)(open.id(id), &not_found);
        if open.number != next.number || open.amount != next.amount || is < was || is == 0 || (is == 2 && !may_reverse)
        {
            return wrong("attempts", format!("{open:?} to {next:?}"));
        }
        Ok(())
    }

    pub(super) fn heard_approval(&self, id: Id, open: &Attempt) -> Result<(), Wrong> {
        let yes = |to, said| to != Asked::Reversal && said == Said::Approved;
        let reversing = matches!(open.phase, Phase::Reversing { .. });
        if reversing || !(self.told)(open.id(id), &yes) || self.command.is_some() {
            return wrong("attempts", format!("{open:?} was approved by nobody"));
        }
        Ok(())
    }

    /// A refusal, or the acknowledgement of a reversal.
    pub(super) fn heard_end(&self, id: Id, open: &Attempt) -> Result<(), Wrong> {
        let reversing = matches!(open.phase, Phase::Reversing { .. });
        let no = |to, said| match reversing {
            true => to == Asked::Reversal && said == Said::Acknowledged,
            false => to != Asked::Reversal && matches!(said, Said::Declined { .. }),
        };
        if !(self.told)(open.id(id), &no) || self.command.is_some() {
            return wrong("attempts", format!("{open:?} was ended by nobody"));
        }
        Ok(())
    }
}
