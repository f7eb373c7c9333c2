//! Names to addresses. The system resolves, on threads that may wait; how many may is bounded, and names that have not
//! answered lately share a small part of them, so that names that never answer keep no other name from being resolved.

use hashbrown::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, watch};

/// Addresses of a name that are looked at, at most.
pub const ADDRESSES_MAX: usize = 8;
/// Threads that may wait for names that answered when they were last asked for.
const GOOD_MAX: usize = 64;
/// Threads that may wait for names that did not, or were never asked for.
const DOUBTFUL_MAX: usize = 32;
/// Names whose last answer is remembered. Beyond, all are forgotten: then they are doubtful once.
const REMEMBERED_MAX: usize = 65_536;

/// What resolves names. A port, so that a test can answer differently each time, as an attacker's server does.
pub trait Resolver: Send + Sync {
    /// The addresses of `name`, best first.
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a>;
}

/// What a [`Resolver`] gives back.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// The system's resolver (`getaddrinfo`), which knows of /etc/hosts and of what else the machine is set up with. Whoever
/// asks for a name that is being looked up waits for that look-up.
pub struct SystemResolver {
    good: Arc<Semaphore>,
    doubtful: Arc<Semaphore>,
    names: Arc<Mutex<HashMap<Box<str>, Standing>>>,
    /// Asks the system; blocks.
    look_up: Arc<dyn Fn(&str) -> Found + Send + Sync>,
}

/// What is known of a name.
enum Standing {
    /// It answered when it was last asked for.
    Good,
    /// It is being looked up.
    Asked(watch::Receiver<Option<Found>>),
}

type Found = Result<Vec<IpAddr>, String>;

impl SystemResolver {
    /// One for the whole process.
    pub fn new() -> Self {
        Self::with(look_up)
    }

    fn with(look_up: impl Fn(&str) -> Found + Send + Sync + 'static) -> Self {
        Self {
            look_up: Arc::new(look_up),
            good: Arc::new(Semaphore::new(GOOD_MAX)),
            doubtful: Arc::new(Semaphore::new(DOUBTFUL_MAX)),
            names: Arc::default(),
        }
    }

    async fn ask(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut answer = self.asked(name);
        let found = answer
            .wait_for(Option::is_some)
            .await
            .map_err(io::Error::other)?
            .clone();
        found.unwrap_or(Ok(Vec::new())).map_err(io::Error::other)
    }

    /// Where the answer will be: of the look-up that is under way, or of one that begins.
    fn asked(&self, name: &str) -> watch::Receiver<Option<Found>> {
        let mut names = lock(&self.names);
        let permits = match names.get(name) {
            // One whose runtime ended never answers.
            Some(Standing::Asked(answer)) if answer.has_changed().is_ok() || answer.borrow().is_some() => {
                return answer.clone();
            }
            Some(Standing::Good) => Arc::clone(&self.good),
            Some(Standing::Asked(_)) | None => Arc::clone(&self.doubtful),
        };
        let (told, answer) = watch::channel(None);
        if names.len() >= REMEMBERED_MAX {
            names.retain(|_, standing| matches!(standing, Standing::Asked(_)));
        }
        names.insert(name.into(), Standing::Asked(answer.clone()));
        drop(names);
        let (names, name) = (Arc::clone(&self.names), Box::<str>::from(name));
        let look_up = Arc::clone(&self.look_up);
        // A task of its own: whoever asked may give up, and others wait too.
        tokio::spawn(async move {
            let Ok(permit) = permits.acquire_owned().await else {
                return;
            };
            let looked_up = tokio::task::spawn_blocking(move || {
                let found = look_up(&name);
                let mut names = lock(&names);
                match &found {
                    Ok(_) => names.insert(name, Standing::Good),
                    Err(_) => names.remove(&name),
                };
                drop((names, permit));
                told.send_replace(Some(found));
            });
            let _ = looked_up.await;
        });
        answer
    }
}

fn look_up(name: &str) -> Found {
    let found = (name, 0).to_socket_addrs().map_err(|error| error.to_string())?;
    let found: Vec<IpAddr> = found.map(|address| address.ip()).take(ADDRESSES_MAX).collect();
    if found.is_empty() {
        Err("it has no address".to_owned())
    } else {
        Ok(found)
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        Box::pin(self.ask(name))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    const FOUND: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    /// A system that answers names that begin with "good", and others once a word is put in; and how often it was asked.
    fn system() -> (Arc<SystemResolver>, mpsc::SyncSender<()>, Arc<AtomicUsize>) {
        let (answer, answers) = mpsc::sync_channel(1);
        let (answers, asked) = (Mutex::new(answers), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        let resolver = SystemResolver::with(move |name| {
            count.fetch_add(1, Ordering::SeqCst);
            if !name.starts_with("good") && lock(&answers).recv().is_err() {
                return Err("gone".to_owned());
            }
            Ok(vec![FOUND])
        });
        (Arc::new(resolver), answer, asked)
    }

    async fn until(asked: &AtomicUsize, count: usize) {
        while asked.load(Ordering::SeqCst) < count {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn names_that_do_not_answer_leave_room_for_those_that_do() {
        let (resolver, answer, asked) = system();
        assert_eq!(resolver.resolve("good.test").await.expect("found"), [FOUND]);
        // More than may wait, and the one that has the lock of the channel: none of them ends.
        let hanging: Vec<_> = (0..2 * DOUBTFUL_MAX)
            .map(|n| {
                let resolver = Arc::clone(&resolver);
                tokio::spawn(async move { resolver.resolve(&format!("hanging-{n}.test")).await })
            })
            .collect();
        until(&asked, 1 + DOUBTFUL_MAX).await;
        assert_eq!(resolver.resolve("good.test").await.expect("found"), [FOUND]);
        assert_eq!(
            asked.load(Ordering::SeqCst),
            2 + DOUBTFUL_MAX,
            "no more threads wait than may"
        );
        drop(answer);
        for hanging in hanging {
            assert!(hanging.await.expect("no panic").is_err());
        }
    }

    #[tokio::test]
    async fn who_asks_for_the_same_name_waits_for_one_look_up() {
        let (resolver, answer, asked) = system();
        let mut waiting: Vec<_> = (0..8)
            .map(|_| {
                let resolver = Arc::clone(&resolver);
                tokio::spawn(async move { resolver.resolve("slow.test").await })
            })
            .collect();
        until(&asked, 1).await;
        // Who gives up takes nothing from the others.
        waiting.swap_remove(0).abort();
        answer.send(()).expect("it waits");
        for waiting in waiting {
            assert_eq!(waiting.await.expect("no panic").expect("found"), [FOUND]);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        answer.send(()).expect("it is there");
        assert_eq!(resolver.resolve("slow.test").await.expect("found"), [FOUND]);
        assert_eq!(asked.load(Ordering::SeqCst), 2, "an answer is not kept");
    }

    #[tokio::test]
    async fn a_name_that_failed_is_asked_for_again() {
        let (resolver, answer, asked) = system();
        drop(answer);
        for times in 1..=2 {
            assert!(resolver.resolve("bad.test").await.is_err());
            assert_eq!(asked.load(Ordering::SeqCst), times);
        }
    }

    #[tokio::test]
    async fn the_system_knows_this_machine() {
        let found = SystemResolver::new().resolve("localhost").await.expect("found");
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty(), "{found:?}");
    }
}
