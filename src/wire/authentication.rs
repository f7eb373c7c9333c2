//! The page on which the holder of a test card proves who they are, and where they go from there.

use crate::html::{self, escaped};
use tollgate_domain::Secrets;
use tollgate_domain::kinds;
use tollgate_domain::payments::authentication::{ActionToken, PAGE_PATH};
use tollgate_domain::payments::payment_method::PaymentMethodType;
use tollgate_resource::{Id, Kind, Names};

/// What the page's buttons send when the holder proves who they are.
pub const COMPLETE: &str = "outcome=complete";
/// What they send when the holder fails to.
pub const FAIL: &str = "outcome=fail";

/// The page of an open action: two buttons that post back to it. `redirects` is the type of payment method whose own page
/// it stands for, if it is not that of a card's bank.
pub fn authentication_page(token: &ActionToken, secrets: &Secrets, redirects: Option<PaymentMethodType>) -> String {
    let object = escaped(&token.object.text(token.kind));
    let path = escaped(&format!("{PAGE_PATH}{}", token.text(secrets)));
    let setup = *token.kind == kinds::SETUP_INTENT;
    let (title, asked, complete, fail) = match redirects {
        None => (
            "3D Secure test page".to_owned(),
            "The bank of a test card asks its holder to prove who they are".to_owned(),
            "Complete",
            "Fail",
        ),
        Some(kind) => (
            format!("{} test page", kind.name()),
            format!(
                "This page stands for the one of <code>{}</code>, which asks the payer to agree",
                kind.name()
            ),
            if setup {
                "Authorize test setup"
            } else {
                "Authorize test payment"
            },
            if setup { "Fail test setup" } else { "Fail test payment" },
        ),
    };
    page(&format!(
        "<h1>{title}</h1>\n<p>{asked}, for <code>{object}</code>. What should happen?</p>\n<form method=\"post\" \
         action=\"{path}\">\n<button type=\"submit\" name=\"outcome\" value=\"complete\">{complete}</button>\n<button \
         type=\"submit\" name=\"outcome\" value=\"fail\">{fail}</button>\n</form>"
    ))
}

/// The page after an action without an address to return to.
pub fn authenticated_page(succeeded: bool) -> String {
    let said = if succeeded {
        "The authentication is complete."
    } else {
        "The authentication failed."
    };
    page(&format!(
        "<h1>3D Secure test page</h1>\n<p>{said} You can close this page.</p>"
    ))
}

/// The page of an action that is over.
pub fn authentication_over_page() -> String {
    page(
        "<h1>3D Secure test page</h1>\n<p>There is nothing to do here: this authentication was completed before, or the \
         payment went on without it.</p>",
    )
}

/// Where the payer goes after an action: the return address with the intent, its client secret and the outcome added.
pub fn return_address(return_url: &str, kind: &'static Kind, id: Id, secrets: &Secrets, succeeded: bool) -> String {
    let (address, fragment) = match return_url.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (return_url, None),
    };
    let mut out = String::with_capacity(return_url.len() + 200);
    written_in_ascii(address, &mut out);
    out.push(if address.contains('?') { '&' } else { '?' });
    let name = kind.object;
    let secret = secrets.client_secret(kind, id);
    let outcome = if succeeded { "succeeded" } else { "failed" };
    out.push_str(&format!(
        "{name}={}&{name}_client_secret={secret}&redirect_status={outcome}",
        id.text(kind)
    ));
    if let Some(fragment) = fragment {
        out.push('#');
        written_in_ascii(fragment, &mut out);
    }
    out
}

/// Escapes what may not stand in a header.
fn written_in_ascii(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_graphic() {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

fn page(body: &str) -> String {
    let style = "button { font: inherit; padding: .5em 1.5em; margin-right: 1em }";
    html::page("3D Secure test page", style, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(return_url: &str, succeeded: bool) -> String {
        let id = Id::new(&kinds::PAYMENT_INTENT, 1_794_830_400_000, 3, 7);
        let secrets = Secrets::new([7; 32]);
        let whole = return_address(return_url, &kinds::PAYMENT_INTENT, id, &secrets, succeeded);
        let secret = secrets.client_secret(&kinds::PAYMENT_INTENT, id);
        whole
            .replace(&secret, "SECRET")
            .replace(&id.text(&kinds::PAYMENT_INTENT), "ID")
    }

    #[test]
    fn the_outcome_is_added_to_the_return_address() {
        let added = "payment_intent=ID&payment_intent_client_secret=SECRET&redirect_status=";
        assert_eq!(
            address("https://shop.example/back", true),
            format!("https://shop.example/back?{added}succeeded")
        );
        assert_eq!(
            address("https://shop.example/back?order=7#paid", false),
            format!("https://shop.example/back?order=7&{added}failed#paid")
        );
        assert_eq!(
            address("myapp://däne", true),
            format!("myapp://d%C3%A4ne?{added}succeeded")
        );
    }

    #[test]
    fn the_page_posts_back_to_itself() {
        let secrets = Secrets::new([7; 32]);
        let token = ActionToken {
            account: Id::new(&kinds::ACCOUNT, 1_794_830_400_000, 1, 7),
            kind: &kinds::PAYMENT_INTENT,
            object: Id::new(&kinds::PAYMENT_INTENT, 1_794_830_400_000, 3, 7),
            nonce: 42,
        };
        let page = authentication_page(&token, &secrets, None);
        let action = format!("action=\"{PAGE_PATH}{}\"", token.text(&secrets));
        assert!(page.contains(&action), "{page}");
        for button in [COMPLETE, FAIL] {
            let (name, value) = button.split_once('=').expect("a pair");
            assert!(page.contains(&format!("name=\"{name}\" value=\"{value}\"")), "{page}");
        }
        let page = authentication_page(&token, &secrets, Some(PaymentMethodType::Ideal));
        for label in ["ideal", "Authorize test payment", "Fail test payment"] {
            assert!(page.contains(label), "{page}");
        }
    }
}
