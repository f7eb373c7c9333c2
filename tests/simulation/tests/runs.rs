//! A fixed set of worlds, and that a seed always gives the same one.

use tollgate_simulation::{Plan, run};

#[test]
fn nothing_is_found_in_a_fixed_set_of_worlds() {
    for seed in 1..=10 {
        let plan = Plan::of(seed, 8);
        if let Err(failure) = run(&plan) {
            panic!("seed {seed}: {failure}\nagain: simulate --seed {seed} --hours 8 --runs 1 --shrink");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    for seed in [3, 4] {
        let plan = Plan::of(seed, 4);
        let traces = [run(&plan), run(&plan)].map(|result| result.map(|(_, trace)| trace));
        assert_eq!(traces[0], traces[1]);
    }
}
