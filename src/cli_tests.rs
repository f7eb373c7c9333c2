//! What the command line takes.

use super::*;
use clap::CommandFactory;

#[test]
fn command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn places_exclude_each_other_and_json_goes_with_each() {
    let table: &[(&str, bool)] = &[
        (
            "listen --forward-to 4242 --events a.b,c.* --api-key k --url http://x",
            true,
        ),
        ("listen --forward-to 4242 --print-secret --skip-verify", true),
        ("verify", false),
        ("verify --json", false),
        ("verify --data d", true),
        ("verify --data d --json", true),
        ("verify --data d --memory-mb 64", true),
        ("verify --data d --memory-mb 0", false),
        ("verify --config f --json", true),
        ("verify --data d --config f", false),
        ("account list", true),
        ("account list --json --data d", true),
        ("account list --json --admin http://x", true),
        ("account list --data d --admin http://x", false),
        ("account keys create acct_x --live --kind publishable --json", true),
        (
            "account keys create acct_x --restricted --allow charges:read,refunds:write",
            true,
        ),
        ("account keys create acct_x --allow charges:read", false),
        ("account keys create acct_x --restricted --kind publishable", false),
        ("account keys roll sk_x --expires-in 24h", true),
        ("account keys roll sk_x --expires-in soon", false),
        ("account keys revoke", false),
        ("account show acct_x", true),
        (
            "account update acct_x --set country=DE --set raw_cards=refused --mode test",
            true,
        ),
        ("account update acct_x --set country", false),
        ("account update acct_x", false),
        ("serve --colour", false),
        ("config", true),
        ("config check f --json", true),
        ("config reload --admin http://x", true),
        ("limits show --json", true),
        ("schema apply", true),
        ("schema apply --config f", true),
        ("schema", false),
        ("export --data d f", true),
        ("export --config c f", true),
        ("export f", false),
        ("import f --config c", true),
        ("import f --data d", true),
        ("import f --data d --config c", false),
        ("import f", false),
        ("index rebuild", true),
        ("index rebuild --shard 3 --admin http://x", true),
        ("index rebuild --data d", true),
        ("index rebuild --data d --config f", true),
        ("index rebuild --config f", false),
        ("index rebuild --data d --shard 3", false),
        ("shard list --over 50", true),
        ("shard move 3 --to 1", true),
        ("shard move 3", false),
        ("vault audit --data d --sealed --json", true),
        ("vault check --data d", true),
        ("vault rotate --data d", true),
        ("vault begin --data d", true),
        ("vault rotate --config f", true),
        ("vault rotate --data d --config f", false),
        ("vault begin", false),
        ("vault rotate", false),
    ];
    for (line, fine) in table {
        let words = ["tollgate"].into_iter().chain(line.split(' '));
        assert_eq!(Cli::try_parse_from(words).is_ok(), *fine, "{line}");
    }
}

#[test]
fn commands_in_the_documents_are_commands() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for folder in ["", "docs", "loadtest"] {
        let folder = root.join(folder);
        for entry in std::fs::read_dir(&folder).expect("a folder of documents") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a document");
            for words in text.lines().filter_map(command) {
                let parsed = Cli::try_parse_from(&words);
                assert!(
                    parsed.is_ok(),
                    "{}: {words:?}: {}",
                    path.display(),
                    parsed.err().unwrap()
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 12, "only {checked} commands were found");
}

/// The words of a line that runs this program, as a shell would take them.
fn command(line: &str) -> Option<Vec<String>> {
    let quoted = |part: &str| part.replace(' ', "_");
    let line: Vec<String> = line
        .split('"')
        .enumerate()
        .map(|(at, part)| if at % 2 == 1 { quoted(part) } else { part.to_owned() })
        .collect();
    let line = line.concat();
    let mut words = line.split_whitespace().skip_while(|word| {
        word.contains('=')
            || *word == "taskset"
            || *word == "-c"
            || word.starts_with(|first: char| first.is_ascii_digit())
    });
    let program = words.next()?;
    if program.rsplit('/').next() != Some("tollgate") {
        return None;
    }
    let rest = words.take_while(|word| !["#", "&"].contains(word));
    Some(std::iter::once(program).chain(rest).map(str::to_owned).collect())
}

#[test]
fn flags_become_settings() {
    let Cli {
        command: Command::Serve(flags),
    } = Cli::try_parse_from(["tollgate", "serve", "--data", "d", "--admin-listen", "127.0.0.1:0"]).unwrap()
    else {
        panic!("serve");
    };
    let expected = vec![
        ("store.data", "d".to_owned()),
        ("admin.listen", "127.0.0.1:0".to_owned()),
    ];
    assert_eq!(overrides(&flags), expected);
}
