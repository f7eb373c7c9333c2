//! Starts that must be refused: with which exit code, and in which words. One table; each row damages a copy of the same
//! sound data, tries to serve it and to verify it, and nothing in it may be changed by either.

use crate::server::{Server, tollgate};
use serde_json::Value;
use std::net::TcpListener;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// Within which every refund has its reference, on a machine that is busy.
const REFERENCES_WITHIN: Duration = Duration::from_secs(60);

/// Where clients are told that each of the servers is, so that addresses in their answers are the same.
const ONE_ADDRESS: &[(&str, &str)] = &[("TOLLGATE_API__PUBLIC_URL", "http://pay.example")];

/// Something wrong with a data directory.
struct Row {
    what: &'static str,
    damage: fn(&Path),
    /// What the message of `serve` holds, whose exit code is 3: the environment failed.
    serve: &'static [&'static str],
    /// What the message of `verify` holds, whose exit code is 2: the input cannot be read.
    verify: &'static [&'static str],
}

const TABLE: &[Row] = &[
    Row {
        what: "the data is a file",
        damage: |data| {
            std::fs::remove_dir_all(data).unwrap();
            std::fs::write(data, "not a directory").unwrap();
        },
        serve: &["/data", "cannot create", "exists"],
        verify: &["there is no data directory", "/data"],
    },
    Row {
        what: "the secret is missing",
        damage: |data| std::fs::remove_file(data.join("secret")).unwrap(),
        serve: &["/data/secret", "missing", "no API key"],
        verify: &["/data/secret", "missing"],
    },
    Row {
        what: "the secret belongs to other data",
        damage: |data| std::fs::write(data.join("secret"), "ab".repeat(32)).unwrap(),
        serve: &["/data/secret", "other data"],
        verify: &["/data/secret", "other data"],
    },
    Row {
        what: "the secret is cut short",
        damage: |data| std::fs::write(data.join("secret"), "abcd").unwrap(),
        serve: &["/data/secret", "64 hexadecimal digits"],
        verify: &["/data/secret", "64 hexadecimal digits"],
    },
    Row {
        what: "the secret cannot be read",
        damage: |data| {
            std::fs::remove_file(data.join("secret")).unwrap();
            std::fs::create_dir(data.join("secret")).unwrap();
        },
        serve: &["/data/secret", "cannot read"],
        verify: &["/data/secret", "cannot read"],
    },
    Row {
        what: "a newer release wrote the data",
        damage: |data| {
            let text = std::fs::read_to_string(data.join("meta")).unwrap();
            std::fs::write(data.join("meta"), text.replace("format = 1\n", "format = 99\n")).unwrap();
        },
        serve: &["/data/meta", "99", "newer"],
        verify: &["/data/meta", "99", "newer"],
    },
    Row {
        what: "meta is missing",
        damage: |data| std::fs::remove_file(data.join("meta")).unwrap(),
        serve: &["/data/meta", "missing"],
        verify: &["/data/meta"],
    },
    Row {
        what: "meta is damaged",
        damage: |data| flip(&data.join("meta"), 70),
        serve: &["/data/meta"],
        verify: &["/data/meta"],
    },
    Row {
        what: "a segment is cut short",
        damage: |data| {
            let file = std::fs::File::options().write(true).open(first_segment(data)).unwrap();
            file.set_len(100_000).unwrap();
        },
        serve: &["00000001.segment offset", "100000 bytes"],
        verify: &["00000001.segment offset", "100000 bytes"],
    },
    Row {
        what: "a bit of a segment is flipped",
        damage: |data| flip(&first_segment(data), 2000),
        serve: &["00000001.segment offset", "a later frame stands at offset"],
        verify: &["00000001.segment offset", "a later frame stands at offset"],
    },
    Row {
        what: "a bit of a segment's header is flipped",
        damage: |data| flip(&first_segment(data), 20),
        serve: &["00000001.segment offset 0", "header"],
        verify: &["00000001.segment offset 0", "header"],
    },
    Row {
        what: "the first segment is missing",
        damage: |data| std::fs::remove_file(first_segment(data)).unwrap(),
        serve: &["00000001.segment", "missing"],
        verify: &["00000001.segment", "missing"],
    },
    Row {
        what: "the journal is missing",
        damage: |data| std::fs::remove_dir_all(data.join("journal")).unwrap(),
        serve: &["/data/journal"],
        verify: &["/data/journal"],
    },
];

#[test]
fn data_that_is_not_sound_is_refused_by_name_and_left_alone() {
    let sound = sound();
    for row in TABLE {
        let mut server = Server::not_started(&[], &[]);
        let data = server.data();
        copy(&sound.data(), &data);
        (row.damage)(&data);
        let before = contents(&data);
        assert!(!server.try_start_again(), "{}: it is served", row.what);
        assert_eq!(server.wait(), Some(3), "{}: {}", row.what, server.log());
        let said = server.log();
        let last = said.lines().last().unwrap_or_default();
        for words in row.serve {
            assert!(
                last.starts_with("tollgate: ") && last.contains(words),
                "{}: {words:?} is missing in {last:?}",
                row.what
            );
        }
        let verified = tollgate(&["verify", "--data", data.to_str().expect("UTF-8")]);
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert_eq!(verified.status.code(), Some(2), "{}: {said}", row.what);
        for words in row.verify {
            assert!(said.contains(words), "{}: {words:?} is missing in {said:?}", row.what);
        }
        assert!(before == contents(&data), "{}: refused data was changed", row.what);
    }
}

#[test]
fn damaged_master_keys_are_refused_by_name_and_left_alone() {
    let sound = sound();
    let damages: [fn(&Path); 2] = [
        |keys| flip(keys, keys.metadata().unwrap().len() / 2),
        |keys| std::fs::write(keys, "").unwrap(),
    ];
    for damage in damages {
        let mut server = Server::not_started(&[], &[]);
        copy(&sound.data(), &server.data());
        let keys = server.data().join("vault/keys");
        damage(&keys);
        let before = contents(&server.data());
        assert!(!server.try_start_again(), "it is served");
        assert_eq!(server.wait(), Some(3), "{}", server.log());
        let said = server.log();
        let last = said.lines().last().unwrap_or_default();
        assert!(
            last.contains("/vault/keys") && last.contains("restore it from a backup"),
            "{last}"
        );
        assert!(before == contents(&server.data()), "refused data was changed");
    }
}

#[test]
fn a_lost_vault_is_refused_until_its_loss_is_accepted() {
    let mut server = Server::start();
    let card = "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=123";
    assert_eq!(server.post("/v1/payment_methods", card).status, 200);
    assert_eq!(server.stop(), Some(0));
    let data = server.data();
    std::fs::remove_dir_all(data.join("vault")).unwrap();
    let before = contents(&data);
    assert!(!server.try_start_again(), "it is served");
    assert_eq!(server.wait(), Some(3), "{}", server.log());
    let said = server.log();
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.contains("/vault/keys is missing") && last.contains("tollgate vault begin"),
        "{last}"
    );
    assert!(before == contents(&data), "refused data was changed");
    let begun = tollgate(&["vault", "begin", "--data", data.to_str().expect("UTF-8")]);
    assert!(begun.status.success(), "{begun:?}");
    assert!(
        String::from_utf8_lossy(&begun.stdout).contains("master key 2"),
        "{begun:?}"
    );
    server.start_again();
    assert_eq!(server.post("/v1/payment_methods", card).status, 200);
}

#[test]
fn what_can_be_made_again_may_be_deleted_or_damaged() {
    // Everything but these: pointers into the journal, if the release keeps any on disk.
    let kept = ["meta", "secret", "journal", "lock", "vault", "files"];
    let sound = sound();
    let derived = |data: &Path| {
        let names = std::fs::read_dir(data)
            .expect("the data")
            .map(|entry| entry.expect("an entry"));
        let names = names.filter(|entry| !kept.contains(&&*entry.file_name().to_string_lossy()));
        names.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let damages: [fn(&Path); 3] = [
        |path| match path.is_dir() {
            true => std::fs::remove_dir_all(path).unwrap(),
            false => std::fs::remove_file(path).unwrap(),
        },
        |path| {
            files(path)
                .iter()
                .for_each(|file| flip(file, file.metadata().unwrap().len() / 2))
        },
        |path| {
            for file in files(path) {
                let len = file.metadata().unwrap().len();
                let file = std::fs::File::options().write(true).open(file).unwrap();
                file.set_len(len / 2).unwrap();
            }
        },
    ];
    let list = |server: &Server| {
        [
            "payment_intents",
            "charges",
            "events",
            "balance_transactions",
            "refunds",
        ]
        .map(|what| server.get(&format!("/v1/{what}?limit=100")).json())
    };
    let mut reference = Server::not_started(&[], ONE_ADDRESS);
    copy(&sound.data(), &reference.data());
    reference.start_again();
    let expected = list(&reference);
    for damage in damages {
        let mut server = Server::not_started(&[], ONE_ADDRESS);
        copy(&sound.data(), &server.data());
        derived(&server.data()).iter().for_each(|path| damage(path));
        server.start_again();
        assert_eq!(list(&server), expected);
        server.pay(1000);
        server.verify();
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    for (setting, words) in [
        ("TOLLGATE_API__LISTEN", "api.listen = "),
        ("TOLLGATE_ADMIN__LISTEN", "admin.listen = "),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("data");
        // Flags win over the environment, so the port is given as a flag.
        let flag = if setting.contains("API") {
            "--listen"
        } else {
            "--admin-listen"
        };
        let other = if setting.contains("API") {
            "--admin-listen"
        } else {
            "--listen"
        };
        let output = tollgate(&[
            "serve",
            "--data",
            data.to_str().expect("UTF-8"),
            flag,
            &address,
            other,
            "127.0.0.1:0",
        ]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(
            said.contains(words) && said.contains(&address) && said.contains("in use"),
            "{said}"
        );
        assert!(!data.exists(), "data was created although the server cannot serve");
    }
}

#[test]
fn a_second_process_on_the_same_data_is_refused_by_name() {
    let server = Server::start();
    let data = server.data();
    let data = data.to_str().expect("UTF-8");
    let second = tollgate(&[
        "serve",
        "--data",
        data,
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "127.0.0.1:0",
    ]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(3), "{said}");
    assert!(
        said.contains(data) && said.contains(&server.pid().to_string()),
        "{said}"
    );
    server.pay(1000);
    server.verify();
}

#[test]
fn what_a_user_may_not_read_or_write_is_named() {
    // (what, mode of the directory, mode of the secret, words)
    let table: [(&str, u32, u32, &[&str]); 3] = [
        (
            "a directory that is read-only",
            0o555,
            0o644,
            &["/data/lock", "ermission denied"],
        ),
        (
            "a directory that may not be entered",
            0o000,
            0o644,
            &["/data", "ermission denied"],
        ),
        (
            "a secret of somebody else",
            0o777,
            0o000,
            &["/data/secret", "ermission denied"],
        ),
    ];
    let sound = sound();
    for (what, directory_mode, secret_mode, words) in table {
        let mut server = Server::not_started(&[], &[]);
        let data = server.data();
        copy(&sound.data(), &data);
        // The lock is made anew: that needs the right to write.
        std::fs::remove_file(data.join("lock")).expect("the lock");
        set_mode(&data.join("secret"), secret_mode);
        set_mode(&data.join("meta"), 0o644);
        set_mode(&data.join("journal"), 0o777);
        files(&data.join("journal"))
            .iter()
            .for_each(|file| set_mode(file, 0o666));
        set_mode(&data, directory_mode);
        if is_root() {
            // Root may do everything; so the server is not root, and gets a binary that it may read.
            set_mode(data.parent().expect("a parent"), 0o755);
            server.set_through(&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
            server.lend_binary();
        }
        assert!(!server.try_start_again(), "{what}: it is served");
        assert_eq!(server.wait(), Some(3), "{what}: {}", server.log());
        let said = server.log();
        let last = said.lines().last().unwrap_or_default().to_owned();
        set_mode(&data, 0o755);
        for word in words {
            assert!(last.contains(word), "{what}: {word:?} is missing in {last:?}");
        }
    }
}

#[test]
fn a_secret_that_others_may_read_is_served_with_a_warning() {
    let mut server = Server::start();
    server.stop();
    assert!(!server.log().contains("chmod 600"), "{}", server.log());
    set_mode(&server.data().join("secret"), 0o644);
    server.start_again();
    let said = server.log();
    assert!(said.contains("chmod 600") && said.contains("/data/secret"), "{said}");
}

/// A directory with some payments, a refund and a hold, of a server that has ended.
fn sound() -> Server {
    let mut server = Server::with(&[], &[("TOLLGATE_STORE__SEGMENT_MB", "1")]);
    for amount in 0..20 {
        let intent = server.pay(1000 + amount);
        let form = format!(
            "charge={}&amount=100",
            intent["latest_charge"].as_str().expect("a charge")
        );
        assert_eq!(server.post("/v1/refunds", &form).status, 200);
    }
    await_references(&server);
    assert_eq!(server.stop(), Some(0));
    server
}

/// Waits until every refund shows the bank's reference, which follows a moment later; then nothing changes by itself any more.
fn await_references(server: &Server) {
    let end = Instant::now() + REFERENCES_WITHIN;
    loop {
        let refunds = server.get("/v1/refunds?limit=100").json();
        let refunds = refunds["data"].as_array().expect("refunds");
        let told = |refund: &Value| refund["destination_details"]["card"]["reference_status"] == "available";
        if refunds.iter().all(told) {
            return;
        }
        assert!(Instant::now() < end, "a refund has no reference: {refunds:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("the mode is set");
}

fn first_segment(data: &Path) -> std::path::PathBuf {
    data.join("journal/00000001.segment")
}

fn flip(path: &Path, at: u64) {
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .expect("a file");
    let mut byte = [0];
    if file.read_exact_at(&mut byte, at).is_ok() {
        file.write_all_at(&[byte[0] ^ 4], at).expect("the byte is written");
    }
}

/// Copies a directory with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).expect("it is inside"));
        std::fs::create_dir_all(target.parent().expect("a parent")).expect("a directory");
        std::fs::copy(&file, &target).expect("a copy");
    }
}

/// All files under a path, which may be one itself; sorted.
fn files(path: &Path) -> Vec<std::path::PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).expect("a directory");
    let mut all: Vec<_> = entries
        .flat_map(|entry| files(&entry.expect("an entry").path()))
        .collect();
    all.sort();
    all
}

/// Every file but the lock, with what it holds; and the names of empty places.
fn contents(data: &Path) -> Vec<(std::path::PathBuf, Option<Vec<u8>>)> {
    let all = files(data).into_iter().filter(|file| !file.ends_with("lock"));
    all.map(|file| (file.clone(), std::fs::read(&file).ok())).collect()
}
