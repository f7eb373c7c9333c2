//! Uploaded files on a live cluster.

use super::Keyspace;
use super::server::{KEY, Server, parse};

const BYTES: &str = "%PDF-1.4 a page";

/// Uploads a file; its id.
pub(crate) fn upload(server: &Server) -> String {
    let body = format!(
        "--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n--b\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\ncontent-type: application/pdf\r\n\r\n\
         {BYTES}\r\n--b--\r\n"
    );
    let request = format!(
        "POST /v1/files HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {KEY}\r\ncontent-type: \
         multipart/form-data; boundary=b\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = server.raw(request.as_bytes()).ok().and_then(|bytes| parse(&bytes));
    answer.expect("an answer").json()["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

#[test]
fn a_node_with_a_directory_of_its_own_reads_what_another_one_was_given() {
    let keyspace = Keyspace::new();
    let mut first = Server::with(&[], &keyspace.settings());
    let file = upload(&first);
    first.kill();
    let second = Server::with(&[], &keyspace.settings());
    let contents = second.get(&format!("/v1/files/{file}/contents"));
    assert_eq!((contents.status, &contents.text[..]), (200, BYTES), "{contents:?}");
    let report = keyspace.verify();
    assert_eq!(report["files"]["uploaded"], 1, "{report}");
    assert_eq!(report["files"]["unreferenced"], 0, "{report}");
}
