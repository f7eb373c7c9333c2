//! Uploads: multipart forms, bounds, bytes that come back with a key and by a link.

use crate::edge::{Answer, Edge};

const BOUNDARY: &str = "----tollgate";

/// A multipart body with a file and text.
fn form(file: Option<(&str, &str)>, texts: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, text) in texts {
        body.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n"
        ));
    }
    if let Some((filename, bytes)) = file {
        body.push_str(&format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{bytes}\r\n"
        ));
    }
    body + &format!("--{BOUNDARY}--\r\n")
}

fn upload(edge: &Edge, headers: &[(&str, &str)], body: &str) -> Answer {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers: Vec<(&str, &str)> = [("content-type", content_type.as_str())]
        .into_iter()
        .chain(headers.iter().copied())
        .collect();
    edge.keyed("POST", "/v1/files", &headers, body)
}

const EVIDENCE: (&str, &str) = ("purpose", "dispute_evidence");
const PDF: (&str, &str) = ("receipt.pdf", "%PDF-1.4 a receipt");

#[test]
fn an_upload_is_told_listed_and_read_back() {
    let edge = Edge::start();
    let made = upload(&edge, &[], &form(Some(PDF), &[EVIDENCE]));
    assert_eq!(made.status, 200, "{made:?}");
    let file = made.json();
    let told = ["object", "purpose", "type", "filename"].map(|name| file[name].as_str().unwrap_or_default());
    assert_eq!(told, ["file", "dispute_evidence", "pdf", "receipt.pdf"]);
    assert_eq!(file["size"], 18);
    let id = file["id"].as_str().expect("an id");
    let contents = edge.keyed("GET", &format!("/v1/files/{id}/contents"), &[], "");
    assert_eq!((contents.status, contents.text.as_str()), (200, PDF.1));
    assert_eq!(contents.header("content-type"), Some("application/pdf"));
    assert_eq!(contents.header("x-content-type-options"), Some("nosniff"));
    let listed = |purpose: &str| {
        let page = edge
            .keyed("GET", &format!("/v1/files?purpose={purpose}"), &[], "")
            .json();
        page["data"].as_array().expect("a page").len()
    };
    assert_eq!((listed("dispute_evidence"), listed("identity_document")), (1, 0));
}

#[test]
fn a_link_needs_no_key_until_it_ends() {
    let edge = Edge::start();
    let texts = [EVIDENCE, ("file_link_data[create]", "true"), ("expand[0]", "links")];
    let file = upload(&edge, &[], &form(Some(PDF), &texts)).json();
    let link = &file["links"]["data"][0];
    let path = |link: &serde_json::Value| {
        let url = link["url"].as_str().expect("an address");
        url.strip_prefix("https://tollgate.test")
            .expect("where the server is reached")
            .to_owned()
    };
    let address = path(link);
    let seen = edge.send("GET", &address, &[], "");
    assert_eq!((seen.status, seen.text.as_str()), (200, PDF.1));
    let forged = address.replace(".test.", ".live.");
    assert_eq!(edge.send("GET", &forged, &[], "").status, 404);
    let id = link["id"].as_str().expect("an id");
    let ended = edge
        .keyed("POST", &format!("/v1/file_links/{id}"), &[], "expires_at=now")
        .json();
    assert_eq!((ended["expired"].as_bool(), ended["url"].is_null()), (Some(true), true));
    assert_eq!(edge.send("GET", &address, &[], "").status, 404);
}

#[test]
fn what_does_not_fit_is_refused_and_says_why() {
    let edge = Edge::start();
    let large = format!("%PDF-{}", "x".repeat(5 << 20));
    let table: &[(String, u16, &str)] = &[
        (form(Some(PDF), &[]), 400, "Missing required param: purpose."),
        (form(None, &[EVIDENCE]), 400, "Missing required param: file."),
        (
            form(Some(("a.txt", "text")), &[EVIDENCE]),
            400,
            "The type of the file you uploaded",
        ),
        (
            form(Some(("a.pdf", "")), &[EVIDENCE]),
            400,
            "The file you uploaded is empty.",
        ),
        (
            form(Some(("a.pdf", &large)), &[EVIDENCE]),
            400,
            "The file you uploaded is too large.",
        ),
        (
            form(Some(PDF), &[("purpose", "nothing")]),
            400,
            "Invalid purpose: must be one of",
        ),
        (
            form(Some(PDF), &[EVIDENCE, ("x", "1")]),
            400,
            "Received unknown parameter: x",
        ),
        (
            "--nothing".into(),
            400,
            "Invalid request: the multipart body is malformed.",
        ),
    ];
    for (body, status, says) in table {
        let answer = upload(&edge, &[], body);
        assert_eq!(answer.status, *status, "{says}: {answer:?}");
        assert!(answer.message().starts_with(says), "{says}: {answer:?}");
    }
    // A form without a part cannot name bytes that somebody else uploaded.
    let forged = format!("purpose=dispute_evidence&file={}%3A18%3Apdf%3Ax", "0".repeat(64));
    let answer = edge.keyed("POST", "/v1/files", &[], &forged);
    assert!(
        answer.message().contains("multipart/form-data"),
        "an ordinary form is no upload: {answer:?}"
    );
    assert_eq!(
        edge.keyed("POST", "/v1/customers", &[], &"x".repeat(2 << 20)).status,
        413
    );
}

#[test]
fn the_same_upload_with_the_same_key_is_made_once() {
    let edge = Edge::start();
    let once = |bytes: &str| {
        upload(
            &edge,
            &[("idempotency-key", "one")],
            &form(Some(("a.pdf", bytes)), &[EVIDENCE]),
        )
    };
    let (first, again, other) = (once("%PDF-1"), once("%PDF-1"), once("%PDF-2"));
    assert_eq!(first.text, again.text);
    assert_eq!(other.json()["error"]["type"], "idempotency_error");
}
