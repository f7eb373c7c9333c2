//! 2019-02-19: what an account has decided stands in its settings, what it says of its business in a profile, and what is
//! asked of it in requirements. Before, most of it stood in the account itself.

use super::{AnswerChange, Change};
use serde_json::{Map, Value, json};
use tollgate_resource::Version;

/// The change.
pub(super) static CHANGE: Change = Change {
    since: Version(20190219),
    doc: "`settings`, `business_profile` and `requirements` of an account hold what stood in it as `statement_descriptor`, \
          `payout_schedule`, `payout_statement_descriptor`, `debit_negative_balances`, `decline_charge_on`, \
          `display_name`, `timezone`, `business_name`, `business_url`, `support_email` and their like, `legal_entity` and \
          `verification`.",
    requests: &[],
    answers: &[AnswerChange {
        object: "account",
        rewrite: flat,
        example: (
            r#"{"object":"account","business_profile":null,"business_type":null,"capabilities":{"transfers":"active"},
                "settings":{"card_payments":{"decline_on":{"avs_failure":false,"cvc_failure":true},
                "statement_descriptor_prefix":"SHOP"},"payments":{"statement_descriptor":"SHOP LTD"},
                "payouts":{"debit_negative_balances":false,"schedule":{"delay_days":2,"interval":"daily"},
                "statement_descriptor":null}}}"#,
            r#"{"object":"account","business_logo":null,"business_logo_large":null,"business_name":null,
                "business_primary_color":null,"business_url":null,"debit_negative_balances":false,
                "decline_charge_on":{"avs_failure":false,"cvc_failure":true},"display_name":null,
                "legal_entity":{"type":null},"payout_schedule":{"delay_days":2,"interval":"daily"},
                "payout_statement_descriptor":null,"product_description":null,"statement_descriptor":"SHOP LTD",
                "support_email":null,"support_phone":null,"support_url":null,"timezone":null,
                "verification":{"disabled_reason":null,"due_by":null,"fields_needed":[]}}"#,
        ),
    }],
    windows: &[],
};

/// What moved where: the older member, and the path of the newer.
const MOVED: &[(&str, &[&str])] = &[
    ("business_logo", &["settings", "branding", "icon"]),
    ("business_logo_large", &["settings", "branding", "logo"]),
    ("business_name", &["business_profile", "name"]),
    ("business_primary_color", &["settings", "branding", "primary_color"]),
    ("business_url", &["business_profile", "url"]),
    (
        "debit_negative_balances",
        &["settings", "payouts", "debit_negative_balances"],
    ),
    ("decline_charge_on", &["settings", "card_payments", "decline_on"]),
    ("display_name", &["settings", "dashboard", "display_name"]),
    ("payout_schedule", &["settings", "payouts", "schedule"]),
    (
        "payout_statement_descriptor",
        &["settings", "payouts", "statement_descriptor"],
    ),
    ("product_description", &["business_profile", "product_description"]),
    (
        "statement_descriptor",
        &["settings", "payments", "statement_descriptor"],
    ),
    ("support_email", &["business_profile", "support_email"]),
    ("support_phone", &["business_profile", "support_phone"]),
    ("support_url", &["business_profile", "support_url"]),
    ("timezone", &["settings", "dashboard", "timezone"]),
];

fn flat(account: &mut Map<String, Value>) {
    let newer: Map<String, Value> = [
        "business_profile",
        "business_type",
        "capabilities",
        "company",
        "controller",
        "future_requirements",
        "requirements",
        "settings",
    ]
    .iter()
    .filter_map(|name| account.remove(*name).map(|value| ((*name).to_owned(), value)))
    .collect();
    let newer = Value::Object(newer);
    let at = |path: &[&str]| path.iter().fold(&newer, |value, name| &value[*name]).clone();
    for (name, path) in MOVED {
        account.insert((*name).into(), at(path));
    }
    account.insert("legal_entity".into(), json!({"type": at(&["business_type"])}));
    let needed = match at(&["requirements", "currently_due"]) {
        Value::Null => json!([]),
        due => due,
    };
    let verification = json!({
        "disabled_reason": at(&["requirements", "disabled_reason"]),
        "due_by": at(&["requirements", "current_deadline"]),
        "fields_needed": needed,
    });
    account.insert("verification".into(), verification);
}
