//! Jobs that send a range of events again.

use crate::asking::kept;
use crate::receivers::Receiver;
use crate::seeds;
use crate::world::{BEGIN_MS, HOUR, MINUTE, SECOND, World};
use tollgate_webhooks::Ordering;
use tollgate_webhooks::book::{JobState, Only, RecoverJob};
use tollgate_webhooks::hall::Command;

#[test]
fn a_job_sends_what_was_asked_for_goes_on_after_a_crash_and_leaves_the_lane_to_what_is_new() {
    for seed in seeds().take(4) {
        let mut world = World::new(seed, 2, 1, 64);
        let account = world.open_account();
        let key = world.register(account, Ordering::FifoWhileHealthy, Receiver::Good(40), &["*"]);
        for _ in 0..20_000 {
            world.run_until(world.now + 100);
            let object = world.chance.of(1..50);
            world.happens(account, object);
        }
        world.run_until(world.now + MINUTE);
        let (since_ms, until_ms) = (BEGIN_MS + 5 * MINUTE, BEGIN_MS + 25 * MINUTE);
        let before = world.auditor.came.clone();
        let (reply, begun) = kept();
        let types: Vec<Box<str>> = vec!["charge.refunded".into()];
        let only = Only::All;
        let recover = Command::Recover {
            endpoint: key,
            since_ms,
            until_ms,
            types,
            only,
            began_ms: world.now,
            reply,
        };
        assert!(world.command(account, recover));
        world.run_until(world.now + SECOND);
        let job: RecoverJob = begun
            .lock()
            .expect("nobody panics")
            .take()
            .expect("answered")
            .expect("begun");
        world.run_until(world.now + 20 * SECOND);
        let owner = world.shards[0].owner.expect("somebody serves it");
        world.crash(owner);
        world.run_until(world.now + 20 * SECOND);
        let mut slowest = 0;
        for _ in 0..50 {
            world.happens(account, 77);
            let seq = world.accounts[&account].seq;
            let happened = world.now;
            world.run_until(world.now + SECOND);
            slowest = slowest.max(
                world
                    .auditor
                    .acknowledged
                    .get(&(key, seq))
                    .map_or(u64::MAX, |at| at - happened),
            );
        }
        assert!(slowest < 300, "seed {seed}: what is new waited for {slowest} ms");
        world.run_until(world.now + HOUR);
        let (reply, jobs) = kept();
        assert!(world.command(account, Command::Jobs { endpoint: key, reply }));
        let jobs = jobs
            .lock()
            .expect("nobody panics")
            .take()
            .expect("answered")
            .expect("listed");
        assert_eq!(
            (jobs.len(), jobs[0].id, jobs[0].state),
            (1, job.id, JobState::Done),
            "seed {seed}"
        );
        let view = &world.accounts[&account].endpoints[&key.seq];
        let (mut asked, mut again, mut others) = (0_u64, 0_u64, 0);
        for event in world.wanted(view) {
            let came = u64::from(
                world.auditor.came[&(key, event.seq)] - before.get(&(key, event.seq)).copied().unwrap_or_default(),
            );
            if event.kind == "charge.refunded" && (since_ms..until_ms).contains(&event.created_ms) {
                asked += 1;
                again += came;
                assert!(came >= 1, "seed {seed}: event {} was not sent again", event.seq);
            } else if before.contains_key(&(key, event.seq)) {
                others += came;
            }
        }
        // What a crash cuts off of the notes comes again, and no more: a fifth of the lane, for 80 ms.
        assert!(
            asked > 3_000 && again <= asked + 50,
            "seed {seed}: {asked} asked for, {again} sent"
        );
        assert_eq!(others, 0, "seed {seed}");
    }
}
