//! Properties of the books under any run of captures, refunds, confirmations, failures and disputes.

use super::*;
use crate::inputs::Network;
use crate::kinds;
use crate::money::Money;
use crate::time::business_days_after;
use proptest::prelude::*;
use tollgate_resource::Id;

const START: i32 = 20_773;

/// One thing a run does; the numbers are folded into what is possible then.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    days_later: u8,
    action: u8,
    charge: usize,
    amount: u32,
    currency: u8,
    remote: bool,
}

struct MadeCharge {
    money: Money,
    available_day: i32,
    network: Network,
    refunded: i64,
}

struct MadeRefund {
    money: Money,
    network: Network,
    state: RefundState,
}

struct MadeDispute {
    money: Money,
    network: Network,
    state: DisputeState,
    fee_returned: i64,
}

#[derive(Clone, Copy, PartialEq)]
enum DisputeState {
    InTransit,
    Debited,
    Won,
}

#[derive(Clone, Copy, PartialEq)]
enum RefundState {
    InTransit,
    Confirmed,
    Failed,
}

/// What a run did, kept apart from the books.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) today: i32,
    seq: u64,
    charges: Vec<MadeCharge>,
    refunds: Vec<MadeRefund>,
    disputes: Vec<MadeDispute>,
    /// Each entry with its day.
    pub(crate) entries: Vec<(i32, Entry)>,
    /// (currency, net, day from which it is available) of each balance transaction.
    transactions: Vec<(Currency, i128, i32)>,
}

impl Run {
    pub(crate) fn of(steps: &[Step]) -> Run {
        let mut run = Run {
            today: START,
            ..Run::default()
        };
        for step in steps {
            run.today += i32::from(step.days_later);
            match step.action % 7 {
                0 => run.capture(step),
                1 => run.refund(step),
                2 => run.confirm(step),
                3 => run.fail(step),
                4 => run.dispute(step),
                5 => run.debit(step),
                _ => run.win(step),
            }
        }
        run
    }

    fn id(&mut self, kind: &'static tollgate_resource::Kind) -> Id {
        self.seq += 1;
        Id::new(kind, 1_794_830_400_000, self.seq, 7)
    }

    fn capture(&mut self, step: &Step) {
        let currency = [Currency::USD, Currency::EUR, Currency::JPY, Currency::KWD][usize::from(step.currency % 4)];
        let money = Money::new(i64::from(step.amount % 99_999_999) + 1, currency);
        let us = crate::country::Country::US;
        let fee = fee(us, money, us).amount;
        let network = if step.remote { Network::Remote } else { Network::Instant };
        let available_day = business_days_after(self.today, 2);
        let (charge, transaction) = (self.id(&kinds::CHARGE), self.id(&kinds::BALANCE_TRANSACTION));
        let money_moved = CaptureMoney {
            captured: money,
            fee,
            available_day,
        };
        let entry = Entry::capture(charge, transaction, network, money_moved);
        self.charges.push(MadeCharge {
            money,
            available_day,
            network,
            refunded: 0,
        });
        self.transactions
            .push((currency, i128::from(money.amount - fee), available_day));
        self.entries.push((self.today, entry));
    }

    fn refund(&mut self, step: &Step) {
        let count = self.charges.len();
        let (refund, transaction) = (self.id(&kinds::REFUND), self.id(&kinds::BALANCE_TRANSACTION));
        let today = self.today;
        let Some(charge) = self.charges.get_mut(step.charge % count.max(1)) else {
            return;
        };
        let left = charge.money.amount - charge.refunded;
        if left == 0 {
            return;
        }
        let money = Money::new(i64::from(step.amount) % left + 1, charge.money.currency);
        charge.refunded += money.amount;
        let day = refund_day(charge.available_day, today);
        let network = charge.network;
        self.refunds.push(MadeRefund {
            money,
            network,
            state: RefundState::InTransit,
        });
        self.transactions.push((money.currency, -i128::from(money.amount), day));
        self.entries
            .push((today, Entry::refund(refund, transaction, money, day)));
    }

    fn confirm(&mut self, step: &Step) {
        let refund = self.id(&kinds::REFUND);
        let today = self.today;
        let Some(made) = self.nth_refund(step, RefundState::InTransit) else {
            return;
        };
        made.state = RefundState::Confirmed;
        let entry = Entry::refund_confirmed(refund, made.network, made.money);
        self.entries.push((today, entry));
    }

    fn fail(&mut self, step: &Step) {
        let (refund, transaction) = (self.id(&kinds::REFUND), self.id(&kinds::BALANCE_TRANSACTION));
        let today = self.today;
        let Some(made) = self.nth_refund(step, RefundState::Confirmed) else {
            return;
        };
        made.state = RefundState::Failed;
        let (network, money) = (made.network, made.money);
        self.transactions
            .push((money.currency, i128::from(money.amount), today));
        self.entries
            .push((today, Entry::refund_failed(refund, transaction, network, money, today)));
    }

    fn dispute(&mut self, step: &Step) {
        let count = self.charges.len();
        let (dispute, transaction) = (self.id(&kinds::DISPUTE), self.id(&kinds::BALANCE_TRANSACTION));
        let today = self.today;
        let Some(charge) = self.charges.get(step.charge % count.max(1)) else {
            return;
        };
        let (money, network) = (charge.money, charge.network);
        let fee = dispute_fee(money.currency);
        self.disputes.push(MadeDispute {
            money,
            network,
            state: DisputeState::InTransit,
            fee_returned: 0,
        });
        self.transactions
            .push((money.currency, -i128::from(money.amount + fee), today));
        self.entries
            .push((today, Entry::dispute_opened(dispute, transaction, money, fee, today)));
    }

    fn debit(&mut self, step: &Step) {
        let dispute = self.id(&kinds::DISPUTE);
        let today = self.today;
        let Some(made) = self.nth_dispute(step, DisputeState::InTransit) else {
            return;
        };
        made.state = DisputeState::Debited;
        let entry = Entry::dispute_debited(dispute, made.network, made.money);
        self.entries.push((today, entry));
    }

    fn win(&mut self, step: &Step) {
        let (dispute, transaction) = (self.id(&kinds::DISPUTE), self.id(&kinds::BALANCE_TRANSACTION));
        let today = self.today;
        let Some(made) = self.nth_dispute(step, DisputeState::Debited) else {
            return;
        };
        made.state = DisputeState::Won;
        let returned = if step.remote {
            dispute_fee(made.money.currency)
        } else {
            0
        };
        made.fee_returned = returned;
        let (network, money) = (made.network, made.money);
        self.transactions
            .push((money.currency, i128::from(money.amount + returned), today));
        self.entries.push((
            today,
            Entry::dispute_won(dispute, transaction, network, money, returned, today),
        ));
    }

    fn nth_dispute(&mut self, step: &Step, state: DisputeState) -> Option<&mut MadeDispute> {
        let fitting = self.disputes.iter_mut().filter(|dispute| dispute.state == state);
        let mut fitting: Vec<&mut MadeDispute> = fitting.collect();
        let count = fitting.len();
        (count > 0).then(|| fitting.swap_remove(step.charge % count))
    }

    fn nth_refund(&mut self, step: &Step, state: RefundState) -> Option<&mut MadeRefund> {
        let mut fitting: Vec<&mut MadeRefund> =
            self.refunds.iter_mut().filter(|refund| refund.state == state).collect();
        let count = fitting.len();
        (count > 0).then(|| fitting.swap_remove(step.charge % count))
    }

    fn books(&self) -> Books {
        let mut books = Books::new();
        for (day, entry) in &self.entries {
            books.apply(entry, *day);
        }
        books.advance(self.today);
        books
    }

    /// Sum of the nets of the transactions that `counts` admits by their day.
    fn nets(&self, currency: Currency, counts: impl Fn(i32) -> bool) -> i128 {
        let of_currency = self
            .transactions
            .iter()
            .filter(|(known, _, day)| *known == currency && counts(*day));
        of_currency.map(|(_, net, _)| net).sum()
    }
}

/// Any run of at most 59 steps.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0..3u8,
        any::<u8>(),
        any::<usize>(),
        any::<u32>(),
        any::<u8>(),
        any::<bool>(),
    )
        .prop_map(|(days_later, action, charge, amount, currency, remote)| Step {
            days_later,
            action,
            charge,
            amount,
            currency,
            remote,
        });
    proptest::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn books_sum_to_zero_and_balances_equal_the_nets_on_every_day(steps in steps(), days_later in 0..5i32) {
        let run = Run::of(&steps);
        let books = run.books();
        prop_assert_eq!(books.imbalance(), None);
        let day = run.today + days_later;
        for currency in [Currency::USD, Currency::EUR, Currency::JPY, Currency::KWD] {
            let balance = books.merchant_balance(currency, day);
            prop_assert_eq!(i128::from(balance.available), run.nets(currency, |bucket| bucket <= day));
            prop_assert_eq!(i128::from(balance.pending), run.nets(currency, |bucket| bucket > day));
            prop_assert_eq!(-books.balance(LedgerAccount::MerchantBalance, currency), run.nets(currency, |_| true));
        }
    }

    #[test]
    fn an_entrys_net_is_its_transactions_net(steps in steps()) {
        let run = Run::of(&steps);
        let moving = run.entries.iter().filter(|(_, entry)| entry.balance_transaction.is_some());
        let nets: Vec<i128> = moving.map(|(_, entry)| entry.merchant_net(entry.postings[0].currency)).collect();
        let expected: Vec<i128> = run.transactions.iter().map(|(_, net, _)| *net).collect();
        prop_assert_eq!(nets, expected);
    }

    #[test]
    fn refunds_in_transit_are_those_not_confirmed(steps in steps()) {
        let run = Run::of(&steps);
        let books = run.books();
        for currency in [Currency::USD, Currency::EUR, Currency::JPY, Currency::KWD] {
            let waiting = run.refunds.iter().filter(|refund| refund.state == RefundState::InTransit);
            let sum: i64 = waiting.filter(|refund| refund.money.currency == currency).map(|refund| refund.money.amount).sum();
            prop_assert_eq!(-books.balance(LedgerAccount::RefundInTransit, currency), i128::from(sum));
        }
    }

    #[test]
    fn disputes_in_transit_are_those_not_debited_and_fees_are_kept_unless_returned(steps in steps()) {
        let run = Run::of(&steps);
        let books = run.books();
        for currency in [Currency::USD, Currency::EUR, Currency::JPY, Currency::KWD] {
            let of_currency = || run.disputes.iter().filter(move |dispute| dispute.money.currency == currency);
            let waiting = of_currency().filter(|dispute| dispute.state == DisputeState::InTransit);
            let sum: i64 = waiting.map(|dispute| dispute.money.amount).sum();
            prop_assert_eq!(-books.balance(LedgerAccount::DisputeInTransit, currency), i128::from(sum));
            let kept: i64 = of_currency().map(|dispute| dispute_fee(currency) - dispute.fee_returned).sum();
            prop_assert_eq!(-books.balance(LedgerAccount::DisputeFeeRevenue, currency), i128::from(kept));
        }
    }

    #[test]
    fn books_continue_from_rows_as_from_the_start(steps in steps(), cut in any::<usize>()) {
        let run = Run::of(&steps);
        let cut = cut % (run.entries.len() + 1);
        let mut books = Books::new();
        for (at, (day, entry)) in run.entries.iter().enumerate() {
            if at == cut {
                books = Books::from_rows(&books.to_rows(), books.today).expect("rows of books are readable");
            }
            books.apply(entry, *day);
        }
        books.advance(run.today);
        prop_assert_eq!(books, run.books());
    }
}
