//! The directory on several nodes of one store: one leads, the others follow.

use crate::office::secrets;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate_actors::directory::{
    Answered, AuthRefusal, DirectoryConfig, DirectoryError, DirectoryHandle, Follows, Leader, NewTerms, NoLeader,
    WhichKey,
};
use tollgate_actors::performer::BoxFuture;
use tollgate_domain::directory::{ApiKeyKind, DirectoryProblem};
use tollgate_store::memory::{Fate, Memory, Mode};
use tollgate_store::shared::Member;
use tollgate_store::{Block, Journal, ShardId, Tail};

/// When everything is asked.
const NOW_MS: u64 = 1_795_176_000_000;
/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// A node's directory, and what it was told.
struct Node {
    directory: DirectoryHandle,
    lost: Receiver<String>,
    fatal: Receiver<String>,
}

fn node(store: &Arc<Memory>) -> Node {
    let (say_lost, lost) = sync_channel(8);
    let (say_fatal, fatal) = sync_channel(8);
    let config = DirectoryConfig {
        dev: true,
        on_fatal: Arc::new(move |why| say_fatal.send(why.to_owned()).expect("the test listens")),
        follows: Some(Follows {
            tail: Arc::clone(store) as Arc<dyn Tail>,
            // Whoever has ended the test does not listen any more.
            on_lost: Arc::new(move |why| drop(say_lost.send(why.to_owned()))),
        }),
    };
    let member = Member::new(store, Arc::new(|_| ShardId(0)));
    let (journal, reads) = (Arc::clone(&member) as Arc<_>, member as Arc<_>);
    let directory = DirectoryHandle::start(config, &secrets(), journal, reads).expect("the directory opens");
    Node { directory, lost, fatal }
}

/// The way to whichever of these leads.
#[derive(Clone, Default)]
struct Nodes(Arc<Mutex<Vec<DirectoryHandle>>>);

impl Leader for Nodes {
    fn ask(&self, asked: Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, NoLeader>> {
        let nodes = self.0.lock().expect("no panic").clone();
        Box::pin(async move {
            for node in nodes {
                if let Answered::Told(told) = node.answer(&asked).await {
                    return Ok(told);
                }
            }
            Err(NoLeader::Unavailable)
        })
    }
}

/// Two nodes that reach each other; the first one leads.
fn two(store: &Arc<Memory>) -> (Node, Node) {
    let (first, second) = (node(store), node(store));
    let nodes = Nodes::default();
    nodes
        .0
        .lock()
        .expect("no panic")
        .extend([first.directory.clone(), second.directory.clone()]);
    first.directory.set_leader(Arc::new(nodes.clone()));
    second.directory.set_leader(Arc::new(nodes));
    wait(first.directory.lead()).expect("it leads");
    (first, second)
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
        .block_on(future)
}

#[test]
fn a_follower_knows_a_new_key_when_it_is_used_and_a_revoked_one_at_its_next_look() {
    let store = Memory::new(Mode::Immediate);
    let (leader, follower) = two(&store);
    assert!(leader.directory.leads() && !follower.directory.leads());
    let account = wait(leader.directory.create_account(NewTerms::default())).expect("created");
    let key = &account.keys[0].text;
    let known = wait(follower.directory.authenticate_anew(key, NOW_MS)).expect("a good key");
    assert_eq!(known.profile.id, account.id);
    assert!(
        follower.directory.authenticate(key, NOW_MS).is_ok(),
        "from now on without a look"
    );
    wait(leader.directory.revoke_key(WhichKey::Text(key.clone()))).expect("revoked");
    wait(follower.directory.freshen()).expect("the journal can be read");
    assert_eq!(follower.directory.authenticate(key, NOW_MS), Err(AuthRefusal::Revoked));
    let nobody = wait(follower.directory.authenticate_anew("sk_live_nobody", NOW_MS));
    assert_eq!(nobody, Err(AuthRefusal::Unknown));
}

#[test]
fn what_is_changed_on_a_follower_is_decided_by_the_leader_and_known_on_both() {
    let store = Memory::new(Mode::Immediate);
    let (leader, follower) = two(&store);
    let account = wait(follower.directory.create_account(NewTerms::default())).expect("created");
    let key = wait(
        follower
            .directory
            .create_key(account.id, true, ApiKeyKind::Secret, Vec::new()),
    )
    .expect("created");
    for node in [&leader, &follower] {
        assert!(node.directory.authenticate(&key.text, NOW_MS).is_ok());
        assert_eq!(wait(node.directory.list()).expect("listed").len(), 2);
    }
    // A key of an account that was made elsewhere opens that account, and no sandbox.
    let made = wait(leader.directory.create_account(NewTerms::default())).expect("created");
    let opened = wait(follower.directory.open_sandbox(&made.keys[0].text)).expect("its account's");
    assert_eq!(opened.profile.id, made.id);
    let sandbox = wait(follower.directory.open_sandbox("sk_test_shop")).expect("opened");
    assert_eq!(
        wait(leader.directory.open_sandbox("pk_test_shop"))
            .expect("opened")
            .profile
            .key,
        sandbox.profile.key
    );
    wait(follower.directory.revoke_key(WhichKey::Text(key.text.clone()))).expect("revoked");
    let again = wait(follower.directory.revoke_key(WhichKey::Text(key.text.clone())));
    assert_eq!(again, Err(DirectoryError::Problem(DirectoryProblem::NoSuchKey)));
    for node in [&leader, &follower] {
        assert_eq!(
            node.directory.authenticate(&key.text, NOW_MS),
            Err(AuthRefusal::Revoked)
        );
    }
    let mut changed = (*wait(follower.directory.list()).expect("listed")[0].profile).clone();
    changed.revision += 1;
    wait(follower.directory.change_account(vec![changed.clone()])).expect("changed");
    let found = leader.directory.profiles_of(changed.id);
    let found = found.iter().find(|profile| profile.livemode == changed.livemode);
    assert_eq!(found.map(|profile| profile.revision), Some(1));
}

#[test]
fn uses_that_a_follower_has_seen_are_written_down_by_the_leader() {
    let store = Memory::new(Mode::Immediate);
    let (leader, follower) = two(&store);
    let account = wait(leader.directory.create_account(NewTerms::default())).expect("created");
    let used_ms = NOW_MS / 60_000 * 60_000 + 600_000_000;
    let known = wait(follower.directory.authenticate_anew(&account.keys[0].text, used_ms));
    assert!(known.is_ok());
    wait(follower.directory.report_uses()).expect("reported");
    let blocks = store.blocks().len();
    let listed = wait(leader.directory.list()).expect("listed");
    assert!(
        listed
            .iter()
            .flat_map(|account| &account.keys)
            .any(|key| key.used_ms == used_ms)
    );
    wait(follower.directory.report_uses()).expect("nothing is news");
    assert_eq!(store.blocks().len(), blocks);
}

#[test]
fn the_directory_is_handed_over_without_losing_a_change() {
    let store = Memory::new(Mode::Immediate);
    let (first, second) = two(&store);
    let (mut leads, mut follows) = (&first, &second);
    let mut keys = Vec::new();
    for _ in 0..4 {
        for node in [leads, follows] {
            let account = wait(node.directory.create_account(NewTerms::default())).expect("created");
            keys.push(account.keys[0].text.clone());
        }
        wait(leads.directory.follow());
        let refused = wait(leads.directory.create_account(NewTerms::default()));
        assert!(matches!(refused, Err(DirectoryError::Unavailable)), "nobody leads");
        wait(follows.directory.lead()).expect("it leads");
        (leads, follows) = (follows, leads);
        for node in [leads, follows] {
            for key in &keys {
                assert!(wait(node.directory.authenticate_anew(key, NOW_MS)).is_ok());
            }
        }
    }
    assert!(
        first.lost.try_recv().is_err() && second.lost.try_recv().is_err(),
        "nothing was taken"
    );
}

#[test]
fn a_leader_whose_directory_was_taken_acknowledges_nothing_and_follows() {
    let store = Memory::new(Mode::Held);
    let (first, second) = (node(&store), node(&store));
    wait(first.directory.lead()).expect("it leads");
    let (asked, answer) = sync_channel(1);
    let directory = first.directory.clone();
    std::thread::spawn(move || {
        let created = wait(directory.create_account(NewTerms::default()));
        asked.send(created.map(|account| account.keys[0].text.clone()))
    });
    while store.waiting().is_empty() {
        std::thread::yield_now();
    }
    // Taken while a block is under way: it is refused.
    wait(second.directory.lead()).expect("it leads");
    assert_eq!(answer.recv().expect("answered"), Err(DirectoryError::Unavailable));
    assert!(first.lost.recv_timeout(LONG).is_ok());
    assert!(!first.directory.leads());
    assert!(
        wait(first.directory.list()).expect("listed").is_empty(),
        "what was not durable is forgotten"
    );
    assert!(!store.settle(ShardId::DIRECTORY, Fate::Durable), "nothing is under way");
}

#[test]
fn a_leader_that_slept_through_its_end_learns_it_from_the_journal() {
    let store = Memory::new(Mode::Immediate);
    let (first, second) = (node(&store), node(&store));
    wait(first.directory.lead()).expect("it leads");
    let account = wait(first.directory.create_account(NewTerms::default())).expect("created");
    wait(second.directory.lead()).expect("it leads");
    let key = account.keys[0].text.clone();
    wait(second.directory.revoke_key(WhichKey::Text(key.clone()))).expect("revoked");
    assert!(first.lost.recv_timeout(LONG).is_ok(), "its own look tells it");
    wait(first.directory.freshen()).expect("the journal can be read");
    assert_eq!(first.directory.authenticate(&key, NOW_MS), Err(AuthRefusal::Revoked));
}

#[test]
fn a_key_is_not_called_unknown_while_the_journal_cannot_be_read() {
    let store = Memory::new(Mode::Immediate);
    let (leader, follower) = two(&store);
    store.fail_reads(true);
    let account = wait(leader.directory.create_account(NewTerms::default())).expect("created");
    let key = &account.keys[0].text;
    let refused = wait(follower.directory.authenticate_anew(key, NOW_MS));
    assert_eq!(refused, Err(AuthRefusal::Unavailable));
    store.fail_reads(false);
    assert!(wait(follower.directory.authenticate_anew(key, NOW_MS)).is_ok());
}

#[test]
fn what_another_node_wrote_and_this_one_cannot_read_ends_it() {
    let store = Memory::new(Mode::Immediate);
    let follower = node(&store);
    let claimed = store.claim(ShardId::DIRECTORY).expect("claimed");
    let mut builder = tollgate_store::envelope::BlockBuilder::new(ShardId::DIRECTORY, claimed.epoch, 0);
    builder
        .push(&tollgate_store::Head::default(), b"of a newer release")
        .expect("there is room");
    let block: Block = builder.seal(1);
    store.submit(block, Box::new(|_| {}));
    assert!(follower.fatal.recv_timeout(LONG).is_ok());
}

#[test]
fn what_is_no_change_is_not_answered() {
    let (leader, follower) = two(&Memory::new(Mode::Immediate));
    assert_eq!(wait(leader.directory.answer(b"\xff\xffnothing")), Answered::Malformed);
    assert_eq!(wait(follower.directory.answer(b"")), Answered::Malformed);
}
