//! The chart of a merchant's books.

use crate::inputs::Network;
use tollgate_resource::record::{Field, Input, RecordError, Wire, put_varint};

/// An account of the ledger. Exists once per currency in each merchant's books.
///
/// Records carry [`LedgerAccount::number`]. Reserved numbers of the chart, not used yet: 2 `merchant_balance_reserved`,
/// 4 `payout_in_transit`, 6 `transfer_in_transit`, 8 `due_from_platform`, 9 `fx_position`, 10 `fx_result`,
/// 13 `fx_fee_revenue`, 14 `tax_payable`, 15 `connect_liability`, 16 `bad_debt`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LedgerAccount {
    /// Owed to the merchant, by the day from which it is available.
    MerchantBalance,
    /// Owed to cardholders: taken from the merchant, not yet confirmed by the network.
    RefundInTransit,
    /// What a network owes us (debit) or we owe it (credit).
    NetworkReceivable(Network),
    /// Earned by processing.
    FeeRevenue,
    /// Taken from the merchant for a dispute, not yet debited by the network.
    DisputeInTransit,
    /// Earned by disputes; kept whatever their outcome.
    DisputeFeeRevenue,
}

/// Which sign the total of a ledger account may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NormalSide {
    /// Never more debits than credits: liabilities and income.
    Credit,
    /// Either.
    Either,
}

impl NormalSide {
    /// Whether a total of debits minus credits is allowed.
    pub fn allows(self, total: i128) -> bool {
        match self {
            NormalSide::Credit => total <= 0,
            NormalSide::Either => true,
        }
    }
}

impl LedgerAccount {
    /// Every account of the chart.
    pub const ALL: [LedgerAccount; 7] = [
        LedgerAccount::MerchantBalance,
        LedgerAccount::RefundInTransit,
        LedgerAccount::NetworkReceivable(Network::Instant),
        LedgerAccount::NetworkReceivable(Network::Remote),
        LedgerAccount::FeeRevenue,
        LedgerAccount::DisputeInTransit,
        LedgerAccount::DisputeFeeRevenue,
    ];

    /// Stable number in records: the account below 64, plus 64 times the connector where it has one.
    pub fn number(self) -> u32 {
        match self {
            LedgerAccount::MerchantBalance => 1,
            LedgerAccount::RefundInTransit => 3,
            LedgerAccount::NetworkReceivable(Network::Instant) => 7,
            LedgerAccount::NetworkReceivable(Network::Remote) => 7 + 64,
            LedgerAccount::FeeRevenue => 11,
            LedgerAccount::DisputeInTransit => 5,
            LedgerAccount::DisputeFeeRevenue => 12,
        }
    }

    /// Name in audits and messages.
    pub fn name(self) -> &'static str {
        match self {
            LedgerAccount::MerchantBalance => "merchant_balance",
            LedgerAccount::RefundInTransit => "refund_in_transit",
            LedgerAccount::NetworkReceivable(Network::Instant) => "network_receivable{instant}",
            LedgerAccount::NetworkReceivable(Network::Remote) => "network_receivable{remote}",
            LedgerAccount::FeeRevenue => "fee_revenue",
            LedgerAccount::DisputeInTransit => "dispute_in_transit",
            LedgerAccount::DisputeFeeRevenue => "dispute_fee_revenue",
        }
    }

    /// Which sign its total may have.
    ///
    /// A merchant's balance may become negative, but only by refunds, disputes, fees and reversals; every entry of today
    /// is one of those or adds money. Payouts and transfers will be refused by their decisions when there is too little.
    pub fn normal_side(self) -> NormalSide {
        match self {
            LedgerAccount::MerchantBalance | LedgerAccount::NetworkReceivable(_) => NormalSide::Either,
            LedgerAccount::RefundInTransit
            | LedgerAccount::FeeRevenue
            | LedgerAccount::DisputeInTransit
            | LedgerAccount::DisputeFeeRevenue => NormalSide::Credit,
        }
    }

    /// Whether its postings name a day.
    pub fn has_days(self) -> bool {
        self == LedgerAccount::MerchantBalance
    }
}

impl std::fmt::Display for LedgerAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Field for LedgerAccount {
    const WIRE: Wire = Wire::Varint;
    fn is_absent(&self) -> bool {
        false
    }
    fn absent() -> Option<Self> {
        None
    }
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, u64::from(self.number()));
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        let number = u32::take(input)?;
        let known = LedgerAccount::ALL
            .into_iter()
            .find(|account| account.number() == number);
        known.ok_or(RecordError::UnknownVariant {
            shape: "LedgerAccount",
            number,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_read_back() {
        for (at, account) in LedgerAccount::ALL.into_iter().enumerate() {
            let mut out = Vec::new();
            account.put(&mut out);
            assert_eq!(LedgerAccount::take(&mut Input::new(&out)), Ok(account));
            for other in &LedgerAccount::ALL[at + 1..] {
                assert!(other.number() != account.number() && other.name() != account.name());
            }
        }
        assert!(
            LedgerAccount::take(&mut Input::new(&[2])).is_err(),
            "a reserved number is not readable yet"
        );
    }
}
