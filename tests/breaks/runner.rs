//! Builds the suites once and runs single checks of them, each in a process of its own.

use crate::matrix::{Check, PACKAGES};
use cargo_metadata::Message;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tollgate_breaks::{ALL, Break, Known, VARIABLE};

/// Longest time a check may take; one that hangs has not said what is wrong.
const CHECK_MAX: Duration = Duration::from_secs(120);
/// Checks that run at the same time.
const AT_ONCE: usize = 2;
/// Most characters of what a check says that are kept.
const SAID_LEN_MAX: usize = 140;
/// Most lines of it.
const SAID_LINES_MAX: usize = 3;

/// A check that is to run, with a break or without.
#[derive(Clone, Copy)]
pub(crate) struct Job {
    pub(crate) check: Check,
    pub(crate) broken: Option<Break>,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) job: Job,
    pub(crate) took: Duration,
    /// The first words of its failure; `None` if it passed.
    pub(crate) said: Option<String>,
    /// Why it says nothing at all: it did not run, or did not end.
    trouble: Option<String>,
}

impl Outcome {
    /// What is wrong with the check, if anything.
    pub(crate) fn complaint(&self) -> Option<String> {
        let name = self.job.check;
        if let Some(trouble) = &self.trouble {
            let broken = self.job.broken.map_or("no break", |of| known(of).name);
            return Some(format!("{name} with {broken}: {trouble}"));
        }
        match (self.job.broken, &self.said) {
            (Some(of), None) => Some(format!("{name} does not see {}", known(of).name)),
            (None, Some(said)) => Some(format!("{name} fails although nothing is broken: {said}")),
            _ => None,
        }
    }
}

/// What is known of a break.
pub(crate) fn known(of: Break) -> &'static Known {
    let known = ALL.iter().find(|known| known.of == of);
    known.expect("every break is in the table")
}

/// The binaries of the suites, by the file that each starts with, and where each runs.
pub(crate) struct Binaries(BTreeMap<PathBuf, (PathBuf, PathBuf)>);

impl Binaries {
    /// Builds them, with the breaks in them, all in one go.
    pub(crate) fn build() -> Binaries {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        cargo.args([
            "test",
            "--no-run",
            "--quiet",
            "--message-format=json-render-diagnostics",
        ]);
        cargo.args([
            "--features",
            "tollgate/breaks",
            "--lib",
            "--test",
            "suite",
            "--test",
            "runs",
            "--test",
            "endpoints",
            "--test",
            "simulation",
        ]);
        cargo.args(PACKAGES.iter().flat_map(|package| ["-p", package]));
        let mut child = cargo
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo starts");
        let stdout = child.stdout.take().expect("a pipe");
        let mut built = BTreeMap::new();
        for message in Message::parse_stream(BufReader::new(stdout)) {
            let Ok(Message::CompilerArtifact(artifact)) = message else {
                continue;
            };
            let (Some(binary), true) = (artifact.executable, artifact.profile.test) else {
                continue;
            };
            let home = artifact.manifest_path.parent().expect("a manifest lies in a folder");
            built.insert(artifact.target.src_path.into(), (binary.into(), home.into()));
        }
        assert!(child.wait().expect("cargo ends").success(), "the suites do not build");
        Binaries(built)
    }

    fn of(&self, check: Check) -> &(PathBuf, PathBuf) {
        let start = Path::new(env!("CARGO_MANIFEST_DIR")).join(check.suite);
        let found = self.0.get(&start);
        found.unwrap_or_else(|| panic!("no suite was built from {}", start.display()))
    }
}

/// Runs all of them, a few at a time; outcomes in the order of the jobs.
pub(crate) fn run_all(binaries: &Binaries, jobs: &[Job]) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, SeqCst);
                    let Some(job) = jobs.get(at) else { return };
                    let outcome = run(binaries, *job);
                    outcomes.lock().expect("no thread panics with it").insert(at, outcome);
                }
            });
        }
    });
    outcomes
        .into_inner()
        .expect("no thread panics with it")
        .into_values()
        .collect()
}

fn run(binaries: &Binaries, job: Job) -> Outcome {
    let (binary, home) = binaries.of(job.check);
    let output = tempfile::NamedTempFile::new().expect("a temporary file");
    let to = |file: &File| Stdio::from(file.try_clone().expect("a handle"));
    let mut command = Command::new(binary);
    command
        .args(["--exact", job.check.test, "--test-threads=1", "--nocapture"])
        .current_dir(home)
        .env(VARIABLE, job.broken.map_or("", |of| known(of).name))
        // A break is no reason to remember a case for ever.
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(to(output.as_file()))
        .stderr(to(output.as_file()));
    let started = Instant::now();
    let mut child = command.spawn().expect("the suite starts");
    let ended = loop {
        if let Some(status) = child.try_wait().expect("the suite can be waited for") {
            break Some(status);
        }
        if started.elapsed() > CHECK_MAX {
            let _ = child.kill();
            let _ = child.wait();
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let took = started.elapsed();
    let text = String::from_utf8_lossy(&std::fs::read(output.path()).expect("its output")).into_owned();
    let (said, trouble) = match judge(&text, ended) {
        Ok(said) => (said, None),
        Err(trouble) => (None, Some(trouble)),
    };
    Outcome {
        job,
        took,
        said,
        trouble,
    }
}

/// What the check said: `None` if it passed.
fn judge(text: &str, ended: Option<ExitStatus>) -> Result<Option<String>, String> {
    let Some(status) = ended else {
        return Err(format!("it has not ended after {} s", CHECK_MAX.as_secs()));
    };
    if !text.contains("running 1 test\n") {
        return Err(format!("there is no such test: {text}"));
    }
    if status.success() {
        return Ok(None);
    }
    if status.code() != Some(101) || !text.contains("\ntest result: FAILED. 0 passed; 1 failed;") {
        return Err(format!(
            "it ended with {status}, not with a failure of the test: {text}"
        ));
    }
    let said = words_of_failure(text);
    said.map(Some)
        .ok_or_else(|| format!("it fails and does not say why: {text}"))
}

/// The message of the test's own panic, as one line; tests run on the main thread here. `None` if there is none: then the
/// check fails without telling anybody why, which is a fault of its own.
fn words_of_failure(text: &str) -> Option<String> {
    let panics = text.split("\nthread '").filter(|part| part.contains("panicked at"));
    let lines = panics.last()?.lines().skip(1).take(SAID_LINES_MAX);
    let own = lines.take_while(|line| !line.starts_with("note: ") && !line.starts_with("test "));
    let mut said = own.map(str::trim).collect::<Vec<_>>().join(" ");
    // Where a test had its directory is different each time.
    let temporary = format!("{}/.tmp", std::env::temp_dir().display());
    while let Some(at) = said.find(&temporary) {
        let end = said[at + temporary.len()..]
            .find('/')
            .map_or(said.len(), |len| at + temporary.len() + len + 1);
        said.replace_range(at..end, "");
    }
    if let Some((end, _)) = said.char_indices().nth(SAID_LEN_MAX) {
        said.truncate(end);
        said += " …";
    }
    (!said.is_empty()).then_some(said)
}
