//! Payments the server has acknowledged, kept compactly for reads and for the check of the money.

/// Most payments kept; about 90 bytes each.
pub(crate) const ACKNOWLEDGED_MAX: usize = 5_000_000;

/// Acknowledged payments in order of their answers. Ids lie in one arena: a payment costs no allocation of its own.
#[derive(Default)]
pub(crate) struct Acknowledged {
    arena: Vec<u8>,
    entries: Vec<Entry>,
    /// Payments that were not kept because there were too many.
    pub(crate) dropped: u64,
}

struct Entry {
    at: usize,
    id_len: u16,
    charge_len: u16,
    amount: i64,
    account: u32,
    succeeded: bool,
}

/// One acknowledged payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AcknowledgedPayment<'a> {
    /// The payment intent's id.
    pub(crate) id: &'a str,
    /// The charge's id; empty if the answer named none.
    pub(crate) charge: &'a str,
    /// The amount asked for, minor units.
    pub(crate) amount: i64,
    /// Number of the account.
    pub(crate) account: u32,
    /// Whether the answer said `succeeded`.
    pub(crate) succeeded: bool,
}

impl Acknowledged {
    /// Keeps a payment.
    pub(crate) fn push(&mut self, payment: AcknowledgedPayment<'_>) {
        let (Ok(id_len), Ok(charge_len)) = (payment.id.len().try_into(), payment.charge.len().try_into()) else {
            self.dropped += 1;
            return;
        };
        if self.entries.len() >= ACKNOWLEDGED_MAX {
            self.dropped += 1;
            return;
        }
        let at = self.arena.len();
        self.arena.extend_from_slice(payment.id.as_bytes());
        self.arena.extend_from_slice(payment.charge.as_bytes());
        let AcknowledgedPayment {
            amount,
            account,
            succeeded,
            ..
        } = payment;
        self.entries.push(Entry {
            at,
            id_len,
            charge_len,
            amount,
            account,
            succeeded,
        });
    }

    /// Whether none is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Payment `index`.
    pub(crate) fn get(&self, index: usize) -> AcknowledgedPayment<'_> {
        let entry = &self.entries[index];
        let charge_at = entry.at + usize::from(entry.id_len);
        let text = |from: usize, len: u16| {
            std::str::from_utf8(&self.arena[from..from + usize::from(len)]).expect("ids were pushed as text")
        };
        AcknowledgedPayment {
            id: text(entry.at, entry.id_len),
            charge: text(charge_at, entry.charge_len),
            amount: entry.amount,
            account: entry.account,
            succeeded: entry.succeeded,
        }
    }

    /// All kept payments.
    pub(crate) fn iter(&self) -> impl Iterator<Item = AcknowledgedPayment<'_>> {
        (0..self.entries.len()).map(|index| self.get(index))
    }

    /// The payments of one account.
    pub(crate) fn of_account(&self, account: u32) -> Acknowledged {
        let mut of = Acknowledged::default();
        self.iter()
            .filter(|payment| payment.account == account)
            .for_each(|payment| of.push(payment));
        of
    }

    /// Adds another thread's payments, within the limit.
    pub(crate) fn append(&mut self, other: &Acknowledged) {
        other.iter().for_each(|payment| self.push(payment));
        self.dropped += other.dropped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payments_read_back_and_append() {
        let payment = |id, charge, amount| AcknowledgedPayment {
            id,
            charge,
            amount,
            account: 3,
            succeeded: true,
        };
        let (mut one, mut two) = (Acknowledged::default(), Acknowledged::default());
        one.push(payment("pi_1", "ch_1", 5));
        two.push(payment("pi_22", "", 7));
        one.append(&two);
        assert_eq!(
            one.iter().collect::<Vec<_>>(),
            [payment("pi_1", "ch_1", 5), payment("pi_22", "", 7)]
        );
    }
}
