//! Where an error says its request can be looked up: a page that tells how the request is found in the server's log.

use crate::html;
use tollgate_domain::kinds::REQUEST;
use tollgate_domain::time::{clock_of, date_of, day_of};
use tollgate_resource::Id;

/// Path of the pages; a request's id follows.
pub const REQUEST_LOGS_PATH: &str = "/logs/";

/// The shape revision that added the address to errors. Replays of answers from before are told without.
pub(crate) const SINCE_REVISION: u16 = 5;

/// The address in the error of `request`, with the second the request came in. It follows from the id alone, so that a
/// replay says the same.
pub(crate) fn url(public_url: &str, request: Id) -> String {
    format!(
        "{public_url}{REQUEST_LOGS_PATH}{}?t={}",
        request.text(&REQUEST),
        request.created()
    )
}

/// The page of `request`. It says nothing but what follows from the id: whether there was such a request is in the log.
pub fn request_log_page(request: Id) -> String {
    let id = request.text(&REQUEST);
    let body = format!(
        "<h1>Request {id}</h1>\n<p>Its id was made on {} at {} UTC.</p>\n\
         <p>Tollgate keeps no log of requests that this page could show. It writes one line for each request to its \
         log, with the id in the field <code>request</code>, if <code>log.level</code> is <code>debug</code> or \
         <code>info,tollgate_http=debug</code>; that can be changed while the server runs. Whoever runs the server \
         finds the request there by its id.</p>",
        date_of(day_of(request.unix_ms())),
        clock_of(request.unix_ms()),
    );
    html::page(&format!("Request {id}"), "h1 { overflow-wrap: anywhere }", &body)
}

/// The page of an address that names no request.
pub fn no_request_page() -> String {
    let body = "<h1>No request here</h1>\n<p>This address names no request. It may have been copied in part.</p>";
    html::page("No request", "", body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_and_the_page_follow_from_the_id() {
        let request = Id::new(&REQUEST, 1_794_830_401_999, 3, 7);
        let id = request.text(&REQUEST);
        assert_eq!(
            url("https://pay.example", request),
            format!("https://pay.example/logs/{id}?t=1794830401")
        );
        let page = request_log_page(request);
        assert!(page.contains(&format!("<h1>Request {id}</h1>")), "{page}");
        assert!(page.contains("on 2026-11-16 at 12:00:01 UTC"), "{page}");
    }
}
