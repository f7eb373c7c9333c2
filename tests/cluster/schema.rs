//! A keyspace that many processes make at once, each through a node of its own.

use crate::cassandra::Cassandra;
use crate::keyspace::Keyspace;
use crate::server::Server;

const STORES: usize = 3;
/// Processes that apply the schema at the same moment, and how often, each time to a new keyspace.
const AT_ONCE: usize = 9;
const ROUNDS: usize = 4;

#[test]
fn many_processes_make_one_keyspace_through_different_nodes() {
    let cassandra = Cassandra::start(STORES);
    for round in 0..ROUNDS {
        let keyspace = Keyspace::unmade(cassandra.points.join(","), STORES);
        let apply = |number: usize| {
            let through = keyspace.through(&cassandra.points[number % STORES]);
            move || through.tollgate(&["schema", "apply"])
        };
        let told: Vec<(Option<i32>, String)> = std::thread::scope(|scope| {
            let each: Vec<_> = (0..AT_ONCE).map(|number| scope.spawn(apply(number))).collect();
            each.into_iter().map(|one| one.join().expect("it ends")).collect()
        });
        for (code, text) in &told {
            assert_eq!(*code, Some(0), "round {round}: {text}");
        }
        let made = told.iter().filter(|(_, text)| text.contains(" made")).count();
        assert_eq!(made, 1, "round {round}: one of them makes it: {told:?}");
        // What was written while it was made is there, and stays.
        let mut server = Server::with(&[], &keyspace.settings());
        server.pay(1_000);
        server.kill_and_restart();
        assert_eq!(server.stop(), Some(0), "{}", server.log());
        assert_eq!(keyspace.verify()["payment_intents"], 1);
    }
}
