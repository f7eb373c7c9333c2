//! What happens to one call on its way to the network and back.

use std::hash::{Hash, Hasher};
use tollgate_domain::acquirer::{Ask, NetworkCall};
use tollgate_domain::payments::payment_method::{Behaviour, Decline, RemoteBehaviour, TestCard, declines};

/// Faults that befall calls by chance, in calls per million. Cards that have a behaviour of their own keep to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The network declines an authorisation or purchase.
    pub declined_ppm: u32,
    /// The request is lost on its way: the network does nothing, the caller hears nothing.
    pub lost_request_ppm: u32,
    /// The answer is lost on its way: the network did what was asked, the caller hears nothing.
    pub lost_answer_ppm: u32,
    /// It takes longer than the deadline: every other time the request is late, else the answer.
    pub late_ppm: u32,
}

/// Calls of which a rate is a part.
pub const PPM: u32 = 1_000_000;

impl Faults {
    /// Whether the rates leave a whole: each call has at most one fault.
    pub fn add_up(&self) -> bool {
        let Faults {
            declined_ppm,
            lost_request_ppm,
            lost_answer_ppm,
            late_ppm,
        } = *self;
        [declined_ppm, lost_request_ppm, lost_answer_ppm, late_ppm]
            .iter()
            .map(|rate| u64::from(*rate))
            .sum::<u64>()
            <= u64::from(PPM)
    }
}

/// The way a call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journey {
    /// There and back in the usual time.
    Plain,
    /// There and back, slowly but within the deadline.
    Slow,
    /// Arrives after the deadline.
    LateRequest,
    /// Arrives in time; the answer comes after the deadline.
    LateAnswer,
    /// Never arrives.
    LostRequest,
    /// Arrives; the answer never does.
    LostAnswer,
}

/// What befalls a call: its way, and what the issuer says if it gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Its way.
    pub journey: Journey,
    /// Number of the decline an issuer answers an authorisation, purchase or verification with; `None` if it approves.
    pub decline: Option<u16>,
    /// A random word for the time it takes.
    pub jitter: u64,
}

/// Decides the fate of the `tries`-th call (from 1) of this attempt and question. The same arguments give the same fate.
pub fn fate(faults: &Faults, seed: u64, call: &NetworkCall, tries: u32) -> Fate {
    let mut chance = Chance::of(seed, call, tries);
    let jitter = chance.next();
    let fate = |journey, decline: Option<&Decline>| Fate {
        journey,
        decline: decline.map(|it| it.number),
        jitter,
    };
    // A card misbehaves once per question: what is repeated until it is answered must end.
    let card = card_of(&call.ask).filter(|_| tries == 1);
    if let (Ask::Verify { cvc, .. }, Some(card)) = (&call.ask, card)
        && !matches!(card.behaviour, Behaviour::Remote(_) | Behaviour::Succeed)
    {
        return fate(Journey::Plain, card.declines_verification(*cvc));
    }
    match card.map(|card| card.behaviour) {
        Some(Behaviour::Decline(decline)) => return fate(Journey::Plain, Some(decline)),
        Some(Behaviour::Remote(remote)) => {
            return match remote {
                RemoteBehaviour::Approve => fate(Journey::Plain, None),
                RemoteBehaviour::Decline => fate(Journey::Plain, Some(&declines::GENERIC)),
                RemoteBehaviour::Silent => fate(Journey::LostRequest, None),
                RemoteBehaviour::LostAnswer => fate(Journey::LostAnswer, None),
                RemoteBehaviour::Late => fate(Journey::LateAnswer, None),
                RemoteBehaviour::Slow => fate(Journey::Slow, None),
            };
        }
        Some(Behaviour::Succeed) | None => {}
    }
    let mut roll = (chance.next() % u64::from(PPM)) as u32;
    let mut hits = |rate: u32| {
        let hit = roll < rate;
        roll = roll.wrapping_sub(rate);
        hit
    };
    if hits(faults.declined_ppm) {
        return fate(Journey::Plain, Some(&declines::GENERIC));
    }
    if hits(faults.lost_request_ppm) {
        return fate(Journey::LostRequest, None);
    }
    if hits(faults.lost_answer_ppm) {
        return fate(Journey::LostAnswer, None);
    }
    if hits(faults.late_ppm) {
        return fate(
            if jitter.is_multiple_of(2) {
                Journey::LateRequest
            } else {
                Journey::LateAnswer
            },
            None,
        );
    }
    fate(Journey::Plain, None)
}

fn card_of(ask: &Ask) -> Option<&'static TestCard> {
    match ask {
        Ask::Authorise(money)
        | Ask::Purchase(money)
        | Ask::Capture { money, .. }
        | Ask::Refund { money, .. }
        | Ask::Verify { money, .. } => TestCard::by_number(money.test_card),
        Ask::Inquire | Ask::Reverse => None,
    }
}

/// Random words that follow from the seed and the call alone (SplitMix64).
struct Chance(u64);

impl Chance {
    fn of(seed: u64, call: &NetworkCall, tries: u32) -> Chance {
        let mut mix = Mix(seed);
        call.attempt.hash(&mut mix);
        std::mem::discriminant(&call.ask).hash(&mut mix);
        tries.hash(&mut mix);
        Chance(mix.finish())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }
}

/// A hasher whose result is the same in every process, which the standard one's is not.
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = mixed(self.0 ^ u64::from(byte)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        }
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

fn mixed(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_domain::acquirer::{AttemptId, CardMoney};
    use tollgate_domain::money::Currency;
    use tollgate_resource::Id;

    fn call(number: u32, card: &str) -> NetworkCall {
        let test_card = TestCard::by_name(card).expect("a card of the table").number;
        NetworkCall {
            attempt: AttemptId {
                object: Id::from_bits(77),
                number,
            },
            ask: Ask::Purchase(CardMoney {
                amount: 1000,
                currency: Currency::USD,
                test_card,
            }),
            deadline_ms: 0,
        }
    }

    #[test]
    fn faults_come_at_their_rates_and_follow_from_the_seed() {
        let faults = Faults {
            declined_ppm: 100_000,
            lost_request_ppm: 50_000,
            lost_answer_ppm: 200_000,
            late_ppm: 10_000,
        };
        assert!(faults.add_up());
        let fates = |seed| -> Vec<Fate> {
            (1..=20_000)
                .map(|at| fate(&faults, seed, &call(at, "visa"), 1))
                .collect()
        };
        let first = fates(7);
        assert_eq!(first, fates(7));
        assert_ne!(first, fates(8));
        let share =
            |of: &dyn Fn(&Fate) -> bool| first.iter().filter(|fate| of(fate)).count() as f64 / first.len() as f64;
        let near = |share: f64, rate: f64| (share - rate).abs() < 0.01;
        assert!(near(share(&|fate| fate.decline.is_some()), 0.1));
        assert!(near(share(&|fate| fate.journey == Journey::LostRequest), 0.05));
        assert!(near(share(&|fate| fate.journey == Journey::LostAnswer), 0.2));
        assert!(share(&|fate| fate.journey == Journey::LateRequest) > 0.002);
        assert!(share(&|fate| fate.journey == Journey::LateAnswer) > 0.002);
    }

    #[test]
    fn cards_behave_as_the_table_says() {
        let cases = [
            ("visa", Journey::Plain, None),
            (
                "visa_chargeDeclinedInsufficientFunds",
                Journey::Plain,
                Some(declines::INSUFFICIENT_FUNDS.number),
            ),
            ("tollgate_remote", Journey::Plain, None),
            ("tollgate_remoteDecline", Journey::Plain, Some(declines::GENERIC.number)),
            ("tollgate_remoteSilent", Journey::LostRequest, None),
            ("tollgate_remoteLostAnswer", Journey::LostAnswer, None),
            ("tollgate_remoteLate", Journey::LateAnswer, None),
            ("tollgate_remoteSlow", Journey::Slow, None),
        ];
        for (card, journey, decline) in cases {
            let fate = fate(&Faults::default(), 1, &call(1, card), 1);
            assert_eq!((fate.journey, fate.decline), (journey, decline), "{card}");
        }
    }

    #[test]
    fn a_verification_hears_what_saving_the_card_hears() {
        let verdict = |card: &str, cvc| {
            let Ask::Purchase(money) = call(1, card).ask else {
                unreachable!("it is a purchase")
            };
            let verify = NetworkCall {
                ask: Ask::Verify { money, cvc },
                ..call(1, card)
            };
            let fate = fate(&Faults::default(), 1, &verify, 1);
            (fate.journey, fate.decline)
        };
        assert_eq!(verdict("visa", true), (Journey::Plain, None));
        assert_eq!(
            verdict("visa_chargeDeclined", true),
            (Journey::Plain, Some(declines::GENERIC.number))
        );
        // Declined by payments only.
        assert_eq!(verdict("chargeCustomerFail", true), (Journey::Plain, None));
        assert_eq!(
            verdict("threeDSecureRequiredChargeDeclined", true),
            (Journey::Plain, None)
        );
        let code = declines::INCORRECT_CVC.number;
        assert_eq!(
            verdict("chargeDeclinedIncorrectCvc", true),
            (Journey::Plain, Some(code))
        );
        assert_eq!(verdict("chargeDeclinedIncorrectCvc", false), (Journey::Plain, None));
        assert_eq!(verdict("tollgate_remoteLate", true), (Journey::LateAnswer, None));
    }

    #[test]
    fn a_card_misbehaves_once_per_question() {
        let again = fate(&Faults::default(), 1, &call(1, "tollgate_remoteSilent"), 2);
        assert_eq!(again.journey, Journey::Plain);
    }

    #[test]
    fn rates_beyond_the_whole_do_not_add_up() {
        assert!(
            !Faults {
                declined_ppm: PPM,
                late_ppm: 1,
                ..Faults::default()
            }
            .add_up()
        );
    }
}
