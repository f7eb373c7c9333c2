//! What a cardholder sees, and what comes of the button.

use super::{Books, Fault, finish};

/// The page for the authentication of a payment, or what its button leads to.
pub(super) fn authentication_page(books: &mut Books, id: &str, form: Option<&str>, fault: Fault) -> String {
    let page = |status: u16, head: &str, body: &str| {
        format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{head}\r\n{body}",
            body.len()
        )
    };
    if matches!(fault, Fault::LeavePageEmpty | Fault::PayUnauthenticated) {
        return page(200, "", "<h1>Coming soon</h1>");
    }
    let intent = books.intents.iter().position(|intent| intent["id"] == *id).unwrap();
    if books.intents[intent]["status"] != "requires_action" {
        return page(410, "", "<p>Over.</p>");
    }
    match form {
        None => page(
            200,
            "",
            "<form action='?' method='POST'><input type=hidden name=t value='a&amp;b'><button name=do value=fail>Fail\
             </button><button name=do value=ok>Complete</button></form>",
        ),
        Some("t=a%26b&do=ok") => {
            let after = books.intents[intent]["after"].as_str().unwrap().to_string();
            match (fault, after.as_str()) {
                (Fault::ForgetAuthentications, _) => {}
                (_, "succeeded") => drop(finish(books, id, "succeeded")),
                (_, after) => {
                    books.intents[intent]["status"] = after.into();
                    books.intents[intent]["latest_charge"] = id.replace("pi_", "ch_").into();
                }
            }
            let to = format!("Location: https://shop.example/back?payment_intent={id}&redirect_status=succeeded\r\n");
            page(303, &to, "")
        }
        Some(_) => page(400, "", "<p>No such button.</p>"),
    }
}
