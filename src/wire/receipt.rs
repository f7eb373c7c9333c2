//! The receipt of a charge that was paid: a page for whoever has its address.

use crate::html::{self, escaped};
use tollgate_domain::money::Money;
use tollgate_domain::payments::charge::{Charge, ChargeState, ChargeStatus};
use tollgate_domain::payments::payment_method::{Instrument, PaymentMethodType};
use tollgate_domain::payments::refund::{Refund, RefundStatus};
use tollgate_domain::time::{date_of, day_of};
use tollgate_domain::{Profile, kinds};
use tollgate_resource::Id;

const STYLE: &str = "table { border-collapse: collapse; width: 100% } th, td { border-top: 1px solid #ddd; padding: .5em 0; \
                     text-align: left; vertical-align: top; overflow-wrap: anywhere } th { font-weight: normal; color: #555; \
                     width: 40%; padding-right: 1em } .amount { font-size: 2em; margin: 0 }";

/// The page of `charge`; nothing if it was not paid. `refunds` are those of it that are known, newest first.
pub fn receipt_page<'a>(
    profile: &Profile,
    charge: &Charge,
    refunds: impl IntoIterator<Item = &'a Refund>,
) -> Option<String> {
    if charge.status() != ChargeStatus::Succeeded {
        return None;
    }
    let business = profile.settings().business();
    let account = profile.id.text(&kinds::ACCOUNT);
    let merchant = business.name.as_deref().or(profile.statement_descriptor.as_deref());
    let merchant = escaped(merchant.unwrap_or(&account));
    let money = |amount| escaped(&printed(Money::new(amount, charge.currency)));
    let (label, amount) = match charge.state {
        ChargeState::Held | ChargeState::PartlyCaptured { .. } => ("Authorized", charge.amount),
        ChargeState::Released | ChargeState::Expired => ("Authorized and not charged", charge.amount),
        _ => ("Amount paid", charge.amount_captured()),
    };
    let mut rows = Rows(String::new());
    rows.add(label, &money(amount));
    if let ChargeState::PartlyCaptured { amount, .. } = charge.state {
        rows.add("Amount paid", &money(amount));
    }
    rows.add("Date", &date(charge.id));
    rows.add("Payment method", &escaped(&paid_with(charge)));
    if let Some(description) = charge.description.as_deref() {
        rows.add("Description", &escaped(description));
    }
    for refund in refunds
        .into_iter()
        .filter(|refund| refund.status() != RefundStatus::Failed)
    {
        let of = Money::new(refund.amount, refund.currency);
        rows.add(&format!("Refund of {}", date(refund.id)), &escaped(&printed(of)));
    }
    // What a released hold gives back was never taken.
    if !matches!(charge.state, ChargeState::Released | ChargeState::Expired) && charge.amount_refunded() > 0 {
        rows.add("Refunded in all", &money(charge.amount_refunded()));
    }
    rows.add("Payment", &charge.id.text(&kinds::CHARGE));
    let contact = [&business.support_email, &business.support_phone, &business.support_url]
        .into_iter()
        .flatten()
        .map(|way| escaped(way))
        .collect::<Vec<_>>();
    let contact = if contact.is_empty() {
        String::new()
    } else {
        format!("\n<p>Questions? Contact {merchant}: {}</p>", contact.join(", "))
    };
    let mode = if profile.livemode {
        ""
    } else {
        "\n<p>Test mode: no money was moved.</p>"
    };
    let body = format!(
        "<h1>Receipt from {merchant}</h1>\n<p class=\"amount\">{}</p>\n<table>\n{}</table>{contact}{mode}",
        money(amount),
        rows.0
    );
    Some(html::page(&format!("Receipt from {merchant}"), STYLE, &body))
}

/// The page of an address that leads to no receipt.
pub fn no_receipt_page() -> String {
    let body =
        "<h1>No receipt here</h1>\n<p>This address does not lead to a receipt. It may have been copied in part.</p>";
    html::page("No receipt", "", body)
}

/// Rows of a table: what, and how much of it, both as HTML.
struct Rows(String);

impl Rows {
    fn add(&mut self, what: &str, value: &str) {
        self.0
            .push_str(&format!("<tr><th scope=\"row\">{what}</th><td>{value}</td></tr>\n"));
    }
}

/// `$12.00 USD`, `12.00 SEK`.
fn printed(money: Money) -> String {
    let code = money.currency.code();
    let text = money.to_string();
    match text.strip_suffix(code) {
        Some(number) => format!("{number}{}", code.to_uppercase()),
        None => format!("{text} {}", code.to_uppercase()),
    }
}

/// The day an object was made, in UTC.
fn date(id: Id) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let date = date_of(day_of(id.unix_ms()));
    let month = MONTHS[usize::from(date.month) - 1];
    format!("{month} {}, {}", date.day, date.year)
}

fn paid_with(charge: &Charge) -> String {
    let name = match &charge.instrument {
        Instrument::Card(card) => card.facts().brand.older_name(),
        other => name_of(other.kind()),
    };
    match charge.paid_with_last4() {
        Some(digits) => format!("{name} ending in {digits}"),
        None => name.to_owned(),
    }
}

/// A type of payment method as payers know it.
fn name_of(kind: PaymentMethodType) -> &'static str {
    match kind {
        PaymentMethodType::AcssDebit => "Pre-authorized debit",
        PaymentMethodType::Affirm => "Affirm",
        PaymentMethodType::AfterpayClearpay => "Afterpay / Clearpay",
        PaymentMethodType::Alipay => "Alipay",
        PaymentMethodType::AmazonPay => "Amazon Pay",
        PaymentMethodType::AuBecsDebit => "BECS direct debit",
        PaymentMethodType::BacsDebit => "Bacs direct debit",
        PaymentMethodType::Bancontact => "Bancontact",
        PaymentMethodType::Card => "Card",
        PaymentMethodType::Eps => "EPS",
        PaymentMethodType::Ideal => "iDEAL",
        PaymentMethodType::Klarna => "Klarna",
        PaymentMethodType::Link => "Link",
        PaymentMethodType::P24 => "Przelewy24",
        PaymentMethodType::Paypal => "PayPal",
        PaymentMethodType::RevolutPay => "Revolut Pay",
        PaymentMethodType::SepaDebit => "SEPA direct debit",
        PaymentMethodType::UsBankAccount => "Bank account",
    }
}
