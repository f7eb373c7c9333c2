//! What the serving process asks of the kernel's memory.

use crate::server::Server;

#[test]
fn no_request_waits_for_a_huge_page_to_be_cleared() {
    let server = Server::start();
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("the process's status");
    let line = status.lines().find_map(|line| line.strip_prefix("THP_enabled:"));
    // Linux tells it since 5.0.
    if let Some(enabled) = line {
        assert_eq!(enabled.trim(), "0", "huge pages are on");
    }
}
