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
        Self {
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
