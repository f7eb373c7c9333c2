//! What operators and owners ask of a world, and what they look for when everybody is well again.

use crate::world::World;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tollgate_webhooks::EndpointKey;
use tollgate_webhooks::hall::{Command, Figures, LaneStatus, Letters, Refused, Reply};

/// An answer to a command, when it has come.
pub(crate) type Kept<T> = Arc<Mutex<Option<Result<T, Refused>>>>;

/// Where an answer to a command ends up.
pub(crate) fn kept<T: Send + 'static>() -> (Reply<T>, Kept<T>) {
    let kept = Arc::new(Mutex::new(None));
    let into = Arc::clone(&kept);
    let reply = Box::new(move |answer| *into.lock().expect("nobody panics here") = Some(answer));
    (reply, kept)
}

pub(crate) fn status(world: &mut World, endpoint: EndpointKey) -> LaneStatus {
    let (reply, kept) = kept();
    assert!(world.command(endpoint.account, Command::Status { endpoint, reply }));
    let answer = kept.lock().expect("nobody panics here").take();
    answer.expect("answered at once").expect("the lane is there")
}

/// What the lanes of a process come to.
pub(crate) fn figures(world: &World, process: usize) -> Figures {
    world.processes[process].hall.as_ref().expect("it is alive").figures()
}

/// Sends all dead letters again.
pub(crate) fn replay(world: &mut World, endpoint: EndpointKey) -> u64 {
    let (reply, kept) = kept();
    let letters = Letters::Between {
        since_ms: 0,
        until_ms: world.now,
    };
    assert!(world.command(
        endpoint.account,
        Command::Replay {
            endpoint,
            letters,
            reply
        }
    ));
    let answer = kept.lock().expect("nobody panics here").take();
    answer.expect("answered at once").expect("the lane is there")
}

/// Everything that was wanted has come, nothing is pending, and all that was watched was right.
pub(crate) fn audit(world: &World, complaints: &mut Vec<String>) {
    complaints.extend(world.auditor.wrong.iter().cloned());
    for view in world.endpoints() {
        for event in world.wanted(&view) {
            if !world.auditor.acknowledged.contains_key(&(view.key, event.seq)) {
                let (seq, key) = (event.seq, view.key);
                complaints.push(format!("seed {}: event {seq} never came to {key:?}", world.seed));
            }
            if world
                .pending_at(view.key.account, event.seq, event.kind)
                .contains(&view.key)
            {
                complaints.push(format!("seed {}: event {} is still pending", world.seed, event.seq));
            }
        }
    }
    let (twice, most) = (world.auditor.twice, world.auditor.twice_max);
    if twice > most {
        complaints.push(format!(
            "seed {}: {twice} deliveries came again, {most} may",
            world.seed
        ));
    }
    complaints.truncate(10);
}

/// Whether events about each object were taken in their order.
pub(crate) fn in_order(taken: &[(u64, u64)]) -> bool {
    let mut last = BTreeMap::new();
    taken
        .iter()
        .all(|(seq, object)| last.insert(*object, *seq).is_none_or(|before| before < *seq))
}
