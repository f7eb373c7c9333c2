//! Card numbers are kept under lock only, security codes nowhere.

use crate::form::command;
use crate::shop::Shop;
use std::sync::Arc;
use tollgate_domain::payments::card::SealedNumber;
use tollgate_domain::sealing::{Sealed, Sealing, each_sealed};
use tollgate_domain::webhooks::webhook_endpoint::{SealedSecret, WebhookSecret};
use tollgate_domain::{AccountKey, Secrets};
use tollgate_resource::Record;

/// Notes what it is given in a way that a test can read, and nothing else can.
struct Glass;

impl Sealing for Glass {
    fn seal_number(&self, digits: &str, account: AccountKey, unique: [u64; 4]) -> SealedNumber {
        let mut number = [0; 36];
        for (at, byte) in digits.bytes().enumerate() {
            number[at] = byte ^ 0x80;
        }
        let mut token = [0; 16];
        token[..8].copy_from_slice(&unique[2].to_le_bytes());
        SealedNumber {
            token,
            account,
            master_key: 1,
            data_key: [0; 48],
            number,
        }
    }

    fn seal_secret(&self, secret: &WebhookSecret, account: AccountKey, unique: [u64; 4]) -> SealedSecret {
        let mut sealed = [0; 48];
        for (at, byte) in secret.expose().iter().enumerate() {
            sealed[at] = byte ^ 0x80;
        }
        let mut token = [0; 16];
        token[..8].copy_from_slice(&unique[3].to_le_bytes());
        SealedSecret {
            token,
            account,
            master_key: 1,
            data_key: [0; 48],
            secret: sealed,
        }
    }

    fn open_secret(&self, sealed: &SealedSecret) -> Result<WebhookSecret, Box<str>> {
        let chars: Vec<u8> = sealed.secret[..32].iter().map(|byte| byte ^ 0x80).collect();
        WebhookSecret::of(&chars).ok_or_else(|| "it does not open".into())
    }
}

pub(crate) fn shop() -> Shop {
    let mut shop = Shop::open();
    shop.secrets = Secrets::new([7; 32]).with_vault(Arc::new(Glass));
    shop
}

#[test]
fn a_number_reaches_the_vault_from_every_door_and_no_record() {
    const NUMBER: &str = "4929000809172634";
    let digits = luhn(NUMBER);
    let card = |path: &str| {
        [
            ("number", &*digits),
            ("exp_month", "8"),
            ("exp_year", "2040"),
            ("cvc", "917"),
        ]
        .map(|(name, text)| (format!("{path}[{name}]"), text.to_owned()))
    };
    // An operation, what it takes besides, and where its card stands.
    type Door = (&'static str, &'static [(&'static str, &'static str)], &'static str);
    let doors: &[Door] = &[
        ("create_payment_method", &[("type", "card")], "card"),
        ("create_token", &[], "card"),
        (
            "create_page_confirmation_token",
            &[("payment_method_data[type]", "card")],
            "payment_method_data[card]",
        ),
        (
            "create_confirmation_token",
            &[("payment_method_data[type]", "card")],
            "payment_method_data[card]",
        ),
        (
            "create_payment_intent",
            &[
                ("amount", "2000"),
                ("currency", "usd"),
                ("payment_method_data[type]", "card"),
            ],
            "payment_method_data[card]",
        ),
    ];
    for (operation, fixed, path) in doors {
        let mut shop = shop();
        let pairs = card(path);
        let pairs: Vec<(&str, &str)> = fixed
            .iter()
            .copied()
            .chain(pairs.iter().map(|(name, text)| (&**name, &**text)))
            .collect();
        let asked = command(operation, &pairs);
        assert!(
            !format!("{asked:?}").contains(&*digits),
            "{operation}: a command cannot print it"
        );
        let done = shop.ask(&asked).unwrap_or_else(|stop| panic!("{operation}: {stop:?}"));
        let mut sealed = Vec::new();
        for object in &done.decision.facts.objects {
            each_sealed(object, &mut |kept| match kept {
                Sealed::Number(number) => sealed.push(number.clone()),
                Sealed::Secret(_) => panic!("{operation} keeps a secret"),
            });
        }
        assert_eq!(sealed.len(), 1, "{operation}");
        let opened: Vec<u8> = sealed[0].number[..digits.len()]
            .iter()
            .map(|byte| byte ^ 0x80)
            .collect();
        assert_eq!(opened, digits.as_bytes(), "{operation}");
        assert_eq!(sealed[0].account, shop.account.profile.key);
        let bytes = done.decision.facts.to_bytes();
        let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        assert!(!holds(digits.as_bytes()), "{operation}: the record holds the number");
    }
}

/// The number with the check digit that it should have.
fn luhn(number: &str) -> String {
    let body = &number[..number.len() - 1];
    let fits = |digit: &char| tollgate_domain::payments::card::passes_luhn(&format!("{body}{digit}"));
    let digit = ('0'..='9').find(fits).expect("one digit is right");
    format!("{body}{digit}")
}
