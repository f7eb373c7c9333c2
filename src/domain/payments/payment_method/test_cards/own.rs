//! Cards of our own.

use super::super::test_card::CardBrand::Visa;
use super::super::test_card::Funding::Credit;
use super::super::test_card::RemoteBehaviour;
use super::super::test_card::TestCard;
use super::card;

/// Cards of our own, numbers from 900, which the simulated remote network takes.
pub(super) static OWN: [TestCard; 6] = [
    card(900, &["tollgate_remote"], "4242420000000018", Visa, Credit, "US").remote(RemoteBehaviour::Approve),
    card(901, &["tollgate_remoteDecline"], "4242420000000026", Visa, Credit, "US").remote(RemoteBehaviour::Decline),
    card(902, &["tollgate_remoteSilent"], "4242420000000034", Visa, Credit, "US").remote(RemoteBehaviour::Silent),
    card(
        903,
        &["tollgate_remoteLostAnswer"],
        "4242420000000042",
        Visa,
        Credit,
        "US",
    )
    .remote(RemoteBehaviour::LostAnswer),
    card(904, &["tollgate_remoteLate"], "4242420000000059", Visa, Credit, "US").remote(RemoteBehaviour::Late),
    card(905, &["tollgate_remoteSlow"], "4242420000000067", Visa, Credit, "US").remote(RemoteBehaviour::Slow),
];
