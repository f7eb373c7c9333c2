//! What is seen only from within.

use super::super::wish::NewTerms;
use super::*;
use crate::settings::KEY_USE_STEP_MS;
use tollgate_domain::Secrets;
use tollgate_store::memory::{Memory, Mode};

#[test]
fn uses_of_keys_are_written_down_once_an_hour_and_read_back() {
    let mut store = Memory::new(Mode::Immediate);
    let start = |store: &Arc<Memory>| {
        let ports = Ports {
            journal: Arc::clone(store) as Arc<_>,
            reads: Arc::clone(store) as Arc<_>,
            registry: Arc::new(Registry::new()),
            hasher: KeyHasher::new(&Secrets::new([7; 32])),
            standing: Arc::new(Standing {
                leads: AtomicBool::new(false),
                looks: Looks::new(),
            }),
            on_fatal: Arc::new(|why| panic!("{why}")),
            follows: None,
        };
        Actor::start(ports).expect("the directory opens")
    };
    let mut actor = start(&store);
    let (reply, _answer) = oneshot::channel();
    let wish = Wish::CreateAccount(NewTerms::default());
    assert!(actor.batch(vec![Asked { wish, reply }]).is_ok());
    let hash = actor.directory.keys().next().expect("a key").hash;
    let first_ms = actor.directory.last_now_ms() + 60_000;
    let written = |actor: &Actor| actor.directory.keys().map(|key| key.used_ms).max();
    assert!(actor.write_uses().is_ok());
    assert_eq!((written(&actor), actor.last_block), (Some(0), 1), "nothing was used");
    for (used_ms, expected_ms, blocks) in [
        (first_ms, first_ms, 2),
        (first_ms + KEY_USE_STEP_MS - 120_000, first_ms, 2),
        (
            first_ms + KEY_USE_STEP_MS + 60_000,
            first_ms + KEY_USE_STEP_MS + 60_000,
            3,
        ),
    ] {
        actor.registry.used_now(&hash, used_ms);
        assert!(actor.write_uses().is_ok());
        let expected_ms = expected_ms / 60_000 * 60_000;
        assert_eq!((written(&actor), actor.last_block), (Some(expected_ms), blocks));
        store = store.crash();
        actor = start(&store);
        assert_eq!((written(&actor), actor.last_block), (Some(expected_ms), blocks));
    }
}
