//! What runs out while the server serves: space, file descriptors, the right to write.

use crate::audit::{self, Served};
use crate::clients::while_asking;
use crate::connection::Connection;
use crate::log::Log;
use crate::random::{Random, seed};
use crate::server::{KEY, PATIENCE, Server};
use crate::settings::HARSH;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Payments made while there are no descriptors: more than a segment of this suite's size holds.
const PAYMENTS_MEANWHILE: usize = 2500;

#[test]
fn a_full_disk_is_announced_then_fatal_and_loses_nothing() {
    let mut server = Server::not_started(&[], HARSH);
    let Some(disk) = SmallDisk::mount(&server.data(), "6m") else {
        return;
    };
    let mut random = Random::new(seed());
    let log = Log::default();
    server.start_again();
    while_asking(&server, &log, &mut random, || {
        let mut filled = (space_left(&server.data()), Instant::now());
        while !server.has_ended() {
            let left = space_left(&server.data());
            if left < filled.0 {
                filled = (left, Instant::now());
            }
            assert!(
                filled.1.elapsed() < 2 * PATIENCE,
                "the disk does not fill up: {left} bytes are left\n{}",
                server.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    assert_eq!(server.wait(), Some(3), "{}", server.log());
    let said = server.log();
    let last = said.lines().last().unwrap_or_default();
    let words = ["tollgate: the store has failed", ".segment", "No space left"];
    assert!(words.iter().all(|words| last.contains(words)), "{last}");
    let announced = said
        .lines()
        .find(|line| line.contains("WARN") && line.contains("no room for the next journal file"));
    assert!(announced.is_some(), "nobody was warned while there was time:\n{said}");

    // Still full: it serves as long as what is left of the last segment lasts, or says again what it lacks.
    if server.try_start_again() {
        let _ = server.try_send(KEY, "GET", "/v1/balance", "", &[]);
    }
    if server.runs() {
        server.signal("TERM");
    }
    let code = server.wait();
    let said = server.log();
    let last = said.lines().last().unwrap_or_default();
    assert!(
        code == Some(0) || (code == Some(3) && last.contains("No space left")),
        "{code:?} {last}"
    );
    disk.resize("64m");
    server.start_again();
    audit::settle(&server, &log);
    audit::compare(&server, &log);
    assert_eq!(server.stop(), Some(0));
    server.audited();
}

#[test]
fn data_is_not_created_on_a_full_disk() {
    let mut server = Server::not_started(&[], HARSH);
    let Some(disk) = SmallDisk::mount(&server.data(), "300k") else {
        return;
    };
    assert!(!server.try_start_again());
    assert_eq!(server.wait(), Some(3));
    let said = server.log();
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("tollgate: ") && last.contains("No space left"),
        "{last}"
    );
    disk.resize("8m");
    server.start_again();
    server.pay(1000);
    assert_eq!(server.stop(), Some(0));
    server.audited();
}

#[test]
fn a_write_that_the_system_refuses_is_fatal_and_loses_nothing() {
    // Under the lower limit not even the log can be written; the process must end all the same.
    for (bytes, can_log) in [("30000", true), ("100", false)] {
        let mut server = Server::not_started(&[], HARSH);
        // The signal that comes with this limit would end the process with no word.
        server.set_through(&["env", "--ignore-signal=XFSZ"]);
        server.start_again();
        let mut random = Random::new(seed());
        let log = Log::default();
        while_asking(&server, &log, &mut random, || {
            std::thread::sleep(Duration::from_millis(300));
            let limit = format!("--fsize={bytes}");
            let limited = Command::new("prlimit")
                .args(["--pid", &server.pid().to_string(), &limit])
                .status();
            assert!(limited.expect("prlimit runs").success());
            server.await_end();
        });
        assert_eq!(server.wait(), Some(3), "{}", server.log());
        let said = server.log();
        let last = said.lines().last().unwrap_or_default();
        let words = [
            "tollgate: the store has failed",
            "cannot write",
            ".segment",
            "File too large",
        ];
        assert!(!can_log || words.iter().all(|words| last.contains(words)), "{said}");
        server.start_again();
        audit::settle(&server, &log);
        audit::compare(&server, &log);
        server.verify();
    }
}

#[test]
fn without_file_descriptors_who_is_connected_is_served_and_others_wait() {
    let mut server = Server::not_started(&[], &[("TOLLGATE_STORE__SEGMENT_MB", "1")]);
    server.set_through(&["prlimit", "--nofile=96:96"]);
    server.start_again();
    let form = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
    let mut connected = Connection::to(&server.api);
    let first = connected.post(KEY, "/v1/payment_intents", form).expect("an answer");
    let crowd: Vec<TcpStream> = (0..300).filter_map(|_| TcpStream::connect(&server.api).ok()).collect();
    assert!(crowd.len() > 100, "only {} could connect", crowd.len());
    // Segments come and go, reads go back to the first: neither may starve because of the crowd.
    for at in 0..PAYMENTS_MEANWHILE {
        let answer = connected.post(KEY, "/v1/payment_intents", form).expect("an answer");
        assert_eq!(answer.status, 200, "payment {at}: {answer:?}\n{}", server.log());
    }
    let path = format!("/v1/payment_intents/{}", first.id());
    assert_eq!(connected.get(KEY, &path).expect("an answer").text, first.text);
    assert!(
        server.data().join("journal/00000003.segment").exists(),
        "no segment was filled meanwhile"
    );
    drop(crowd);
    let deadline = Instant::now() + PATIENCE;
    while server.try_send(KEY, "GET", &path, "", &[]).is_err() {
        assert!(Instant::now() < deadline, "it does not recover");
        std::thread::sleep(Duration::from_millis(50));
    }
    let said = server.log();
    assert!(
        said.contains("open files"),
        "nobody was told that few connections fit: {said}"
    );
    server.verify();
}

fn space_left(path: &Path) -> u64 {
    let disk = rustix::fs::statvfs(path).expect("the file system can be asked");
    disk.f_bavail * disk.f_bsize
}

/// A file system of its own, of a given size, in memory.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// `None`, and a word about it, where this user may not mount: then the limit on file sizes, which every user may
    /// set, stands for a disk that takes no more.
    fn mount(path: &Path, size: &str) -> Option<SmallDisk> {
        std::fs::create_dir_all(path).expect("a directory");
        let options = format!("size={size},mode=700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tollgate-test"])
            .arg(path)
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        if !mounted {
            // Past cargo's capture, so that a run without this check says so.
            let words = "NOT CHECKED: a full file system, because this user may not mount one; the limit on file sizes is checked";
            let _ = writeln!(std::io::stderr(), "{words}");
        }
        mounted.then(|| SmallDisk { path: path.to_owned() })
    }

    fn resize(&self, size: &str) {
        let resized = Command::new("mount")
            .args(["-o", &format!("remount,size={size}")])
            .arg(&self.path)
            .status();
        assert!(resized.expect("mount runs").success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}
