//! Card numbers and secrets under lock on a live cluster: one set of master keys for all nodes.

use super::Keyspace;
use super::checks::all_signed_by;
use super::deliveries::pay;
use super::receiver::Receiver;
use super::server::Server;

const CARD: &str = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123";

/// Runs a command of the vault.
fn vault(keyspace: &Keyspace, command: &str) -> String {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let name = file.path().to_str().expect("UTF-8");
    let (code, text) = keyspace.tollgate(&["vault", command, "--config", name]);
    assert_eq!(code, Some(0), "{command}: {text}");
    text
}

fn save(server: &Server) -> u16 {
    server.post("/v1/payment_methods", CARD).status
}

#[test]
fn nodes_that_start_at_once_seal_under_one_key_and_keep_none_to_themselves() {
    let keyspace = Keyspace::new();
    let servers = std::thread::scope(|scope| {
        let start = |name| Server::with(&[], &keyspace.node(name));
        let each = ["a", "b"].map(|name| scope.spawn(move || start(name)));
        each.map(|one| one.join().expect("it starts"))
    });
    for server in &servers {
        assert!(!server.data().join("vault").exists(), "{}", server.log());
    }
    drop(servers);
    let third = Server::with(&[], &keyspace.settings());
    assert_eq!((save(&third), save(&third)), (200, 200));
    drop(third);
    let audit = vault(&keyspace, "audit");
    assert!(audit.contains("\n1 "), "{audit}");
    assert!(!audit.contains("\n2 "), "two keys were drawn: {audit}");
    assert!(vault(&keyspace, "check").starts_with("2 sealed card numbers"));
}

#[test]
fn a_rotation_from_elsewhere_leaves_nothing_under_the_old_key() {
    let keyspace = Keyspace::new();
    let mut server = Server::with(&[], &keyspace.settings());
    assert_eq!(save(&server), 200);
    let told = vault(&keyspace, "rotate");
    assert!(
        told.contains("1 data keys under master key 2, 1 older keys destroyed"),
        "{told}"
    );
    // Whatever the node answers now: nothing that it seals under the old key becomes durable.
    let answered = save(&server);
    assert!(answered == 503 || answered == 200, "{answered}");
    server.kill_and_restart();
    assert_eq!(save(&server), 200);
    server.kill();
    vault(&keyspace, "check");
    let audit = vault(&keyspace, "audit");
    assert!(audit.contains("\n2 ") && !audit.contains("\n1 "), "{audit}");
    assert!(audit.contains("rotated") && audit.contains("check"), "{audit}");
}

/// Pays, as a client that comes back while shards return from a rotation, and has what is delivered of it checked against these
/// secrets, the newest first.
fn signs(server: &Server, receiver: &Receiver, secrets: &[&str]) {
    let before = receiver.came("/hooks").len();
    pay(&[server], &format!("after {before}"));
    let came = receiver.until("/hooks", "what was paid comes", |came| came.len() >= before + 3);
    all_signed_by(&came[before..], secrets);
}

#[test]
fn an_endpoint_signs_with_its_secrets_through_rotations() {
    let keyspace = Keyspace::new();
    let mut server = Server::with(&[], &keyspace.settings());
    let receiver = Receiver::start();
    let secret = |answer: super::server::Answer| answer.json()["secret"].as_str().expect("a secret").to_owned();
    let made = server.post(
        "/v1/webhook_endpoints",
        &format!("url={}&enabled_events[]=*", receiver.url("/hooks")),
    );
    let roll = format!("/v1/webhook_endpoints/{}/roll_secret", made.id());
    let first = secret(made);
    signs(&server, &receiver, &[&first]);
    let told = vault(&keyspace, "rotate");
    assert!(told.contains("1 data keys under master key 2"), "{told}");
    // Whoever signed before goes on; whoever starts opens the secret as the rotation has wrapped it.
    signs(&server, &receiver, &[&first]);
    server.kill_and_restart();
    signs(&server, &receiver, &[&first]);
    let second = secret(server.post(&roll, ""));
    signs(&server, &receiver, &[&second, &first]);
    let told = vault(&keyspace, "rotate");
    assert!(told.contains("2 data keys under master key 3"), "{told}");
    server.kill_and_restart();
    signs(&server, &receiver, &[&second, &first]);
    assert_eq!(server.stop(), Some(0));
    let audit = vault(&keyspace, "audit");
    assert!(
        audit.contains("\n3 ") && !audit.contains("\n2 ") && !audit.contains("\n1 "),
        "{audit}"
    );
    vault(&keyspace, "check");
    keyspace.verify();
}
