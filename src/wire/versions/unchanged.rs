//! The versions that changed nothing of what is served here, and why.

use tollgate_resource::Version;

/// Each with what the public changelog lists for it.
pub const UNCHANGED: &[(Version, &str)] = &[
    (Version(20130813), "Nothing: the oldest version that is understood."),
    (Version(20131029), "Nothing served: coupons."),
    (Version(20131203), "Nothing served: application fees."),
    (Version(20140131), "Nothing served: subscriptions."),
    (Version(20140313), "Nothing served: the descriptor of transfers."),
    (Version(20140519), "Nothing served: transfers."),
    (Version(20140722), "Nothing served: lines of invoices."),
    (Version(20140726), "Nothing served: application fees."),
    (Version(20140804), "Nothing served: the summary of transfers."),
    (Version(20140908), "Nothing served: verified bank accounts of accounts."),
    (
        Version(20141007),
        "Nothing: publishable keys read no tokens at any version, and see no fingerprints.",
    ),
    (
        Version(20141120),
        "Nothing: a dispute that is won is `won` at every version; before, `charge_refunded` where the charge was \
         refunded, which a disputed charge cannot be here.",
    ),
    (
        Version(20150210),
        "Nothing: inquiries end as `warning_closed` at every version; there are no transfers.",
    ),
    (Version(20150216), "Nothing served: events of transfers."),
    (Version(20150324), "Nothing served: coupons."),
    (Version(20150407), "Nothing served: lines of invoices."),
    (Version(20150615), "Nothing served: payouts by hand."),
    (Version(20150707), "Nothing served: transfers."),
    (Version(20150713), "Nothing served: why accounts are disabled."),
    (Version(20150728), "Nothing served: transfers."),
    (Version(20150807), "Nothing served: accounts that others make."),
    (
        Version(20150819),
        "Nothing: `source` of a balance transaction is the refund or dispute at every version; before, their charge.",
    ),
    (
        Version(20150903),
        "Nothing: an idempotency key with other parameters is refused at every version.",
    ),
    (
        Version(20150908),
        "Nothing: too many requests are 429 at every version.",
    ),
    (
        Version(20150923),
        "Nothing: lists of charges hold every charge at every version; `offset` is not taken.",
    ),
    (Version(20151001), "Nothing served: bank accounts of accounts."),
    (
        Version(20151012),
        "Nothing: what is wrong with the parameters of a card is 400 or 402 as in newer versions.",
    ),
    (Version(20151016), "Nothing served: tax of plans."),
    (Version(20160203), "Nothing served: accounts that others make."),
    (
        Version(20160219),
        "Nothing: the holder of a bank account is `account_holder_name` at every version.",
    ),
    (Version(20160222), "Nothing served: invoices."),
    (Version(20160223), "Nothing served: orders."),
    (Version(20160229), "Nothing served: accounts that others make."),
    (Version(20160307), "Nothing served: currencies of countries."),
    (Version(20160615), "Nothing served: products."),
    (Version(20160706), "Nothing served: subscriptions."),
    (
        Version(20161019),
        "Nothing: what a key may not do is 403 at every version; before, 401.",
    ),
    (Version(20170605), "Nothing served: why accounts are disabled."),
    (Version(20170815), "Nothing served: sources that redirect."),
    (Version(20171214), "Nothing served: invoices."),
    (
        Version(20180123),
        "Nothing served: fingerprints across connected accounts.",
    ),
    (Version(20180205), "Nothing served: plans and products."),
    (
        Version(20180206),
        "Nothing: cards of sources say `optional` of 3D Secure, never `recommended`.",
    ),
    (Version(20180228), "Nothing served: subscriptions."),
    (
        Version(20180521),
        "Nothing: the ids of customers are not chosen by the merchant.",
    ),
    (Version(20180906), "Nothing served: products."),
    (
        Version(20181031),
        "Nothing: descriptions of customers may be longer than 350 characters at every version.",
    ),
    (
        Version(20181108),
        "Nothing served: invoices, and payment intents of before they were public.",
    ),
    (Version(20190314), "Nothing served: invoices and subscriptions."),
    (
        Version(20190516),
        "Nothing: bank debits that fail make no refund at any version.",
    ),
    (Version(20190814), "Nothing served: capabilities of connected accounts."),
    (Version(20190909), "Nothing served: capabilities of connected accounts."),
    (Version(20191008), "Nothing served: persons."),
    (
        Version(20191105),
        "Nothing served: connected accounts and schedules of subscriptions.",
    ),
    (Version(20200302), "Nothing served: numbers of invoices."),
    (
        Version(20231016),
        "Nothing served: requirements and descriptors of connected accounts.",
    ),
    (Version(20240620), "Nothing served: issuing and connected accounts."),
    (
        Version(20240930),
        "Nothing served: breaking were alerts, card readers, issuing and connected accounts.",
    ),
    (Version(20241028), "Nothing: additions only."),
    (Version(20241120), "Nothing: additions only."),
    (Version(20241218), "Nothing: additions only."),
    (Version(20250127), "Nothing: additions only."),
    (Version(20250224), "Nothing: additions only."),
    (Version(20250430), "Nothing: additions only."),
    (Version(20250528), "Nothing: additions only."),
    (Version(20250630), "Nothing: additions only."),
    (Version(20250730), "Nothing: additions only."),
    (Version(20250827), "Nothing: additions only."),
    (
        Version(20250930),
        "Nothing: breaking were billing, checkout, connected accounts, issuing, wallets of single countries, and two more \
         ends of reviews, which no review here has.",
    ),
    (Version(20251029), "Nothing: additions only."),
    (Version(20251117), "Nothing: additions only."),
    (Version(20251215), "Nothing: additions only."),
    (Version(20260128), "Nothing: additions only."),
    (Version(20260225), "Nothing: additions only."),
    (
        Version(20260325),
        "Nothing: breaking were checkout, capabilities of connected accounts, issuing, subscriptions, event destinations \
         and the scripts for browsers.",
    ),
    (Version(20260422), "Nothing: additions only."),
    (Version(20260527), "Nothing: additions only."),
    (Version(20260624), "Nothing: additions only."),
    (Version(20260729), "Nothing: additions only."),
    (Version(20260826), "Nothing: additions only."),
    (Version(20261028), "Nothing: additions only."),
];
