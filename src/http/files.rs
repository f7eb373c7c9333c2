//! The bytes of files: where they lie is behind [`FileBytes`], because this room knows no disk. Writing and reading
//! happen on threads that may block, a bounded number at once.

use crate::answer::{Answer, Content};
use crate::refused::Refused;
use crate::services::Services;
use std::io;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tollgate_actors::{Client, Request, Response, Shown};
use tollgate_domain::call::{Cursor, ListQuery};
use tollgate_domain::files::file::FileContents;
use tollgate_domain::files::file_link::LinkToken;
use tollgate_domain::{AccountKey, Call, Item, Object, Profile, Read, kinds};
use tollgate_resource::{Expand, Id};
use tollgate_wire::{errors, versions};

/// Files that are written or read at once.
const AT_ONCE_MAX: usize = 8;
/// Most pages of an account's files that are searched for bytes of which nobody knows whether a record names them.
const PAGES_MAX: u32 = 1_000;

/// Bytes whose record may not be durable yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingBytes {
    /// Their SHA-256.
    pub digest: [u8; 32],
    /// Whose they are.
    pub account: AccountKey,
    /// The request that brought them.
    pub request: Id,
    /// The process that wrote them, if several share the bytes and it is another one than this.
    pub by: Option<[u8; 8]>,
}

/// Where the bytes of files lie. Every call may block.
pub trait FileBytes: Send + Sync {
    /// Makes bytes durable, as pending.
    fn keep(&self, pending: &PendingBytes, bytes: &[u8]) -> io::Result<()>;
    /// The record of pending bytes is durable.
    fn settle(&self, pending: &PendingBytes) -> io::Result<()>;
    /// No record names pending bytes, nor will one.
    fn forget(&self, pending: &PendingBytes) -> io::Result<()>;
    /// The bytes with that digest, if there are any.
    fn read(&self, digest: &[u8; 32]) -> io::Result<Option<Vec<u8>>>;
    /// What is pending and left by processes that were here before, or by others.
    fn pending(&self) -> io::Result<Vec<PendingBytes>>;
}

/// The bytes of files, for the edge's threads.
pub struct Files {
    bytes: Arc<dyn FileBytes>,
    turns: Semaphore,
}

impl Files {
    /// Files that lie there.
    pub fn new(bytes: Arc<dyn FileBytes>) -> Files {
        Files {
            bytes,
            turns: Semaphore::new(AT_ONCE_MAX),
        }
    }

    /// Makes bytes durable, as pending.
    pub(crate) async fn keep(&self, pending: PendingBytes, bytes: bytes::Bytes) -> io::Result<()> {
        self.blocking(move |files| files.keep(&pending, &bytes)).await
    }

    /// The record of pending bytes is durable, or will never be.
    pub(crate) async fn settle(&self, pending: PendingBytes, kept: bool) {
        let done = self.blocking(move |files| {
            if kept {
                files.settle(&pending)
            } else {
                files.forget(&pending)
            }
        });
        if let Err(error) = done.await {
            // They are read where they are, and the next start looks at them again.
            tracing::warn!(%error, "bytes of an upload stay pending");
        }
    }

    /// The bytes with that digest, if there are any.
    pub(crate) async fn read(&self, digest: [u8; 32]) -> io::Result<Option<Vec<u8>>> {
        self.blocking(move |files| files.read(&digest)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn FileBytes) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let _turn = self.turns.acquire().await.expect("the turns are never closed");
        let bytes = Arc::clone(&self.bytes);
        tokio::task::spawn_blocking(move || work(&*bytes))
            .await
            .map_err(io::Error::other)?
    }
}

/// Looks at what other processes left pending: bytes that a record names stay, others go. For the start, before requests
/// are served, and where several nodes share the bytes now and then. Only the owner of an account's shard decides: no other
/// process's record can become durable any more then.
///
/// # Errors
/// When the bytes cannot be listed.
pub async fn settle_pending(services: &Services) -> io::Result<()> {
    let pending = services.files.blocking(|files| files.pending()).await?;
    if pending.is_empty() {
        return Ok(());
    }
    let client = services.engine.client();
    for one in pending {
        let named = match services.engine.profile(one.account) {
            Some(profile) => is_named(&client, &profile, &one).await,
            // Another node knows the account, perhaps.
            None => one.by.is_none().then_some(false),
        };
        // Where nobody knows, it is looked at again later.
        if let Some(named) = named {
            services.files.settle(one, named).await;
        }
    }
    Ok(())
}

/// Whether a record of the account names these bytes; `None` where that cannot be said. Newest files first: bytes that are
/// named are found soon, as a rule.
async fn is_named(client: &Client, profile: &Arc<Profile>, pending: &PendingBytes) -> Option<bool> {
    let mut cursor = Cursor::Start;
    for _ in 0..PAGES_MAX {
        let page = ListQuery {
            limit: tollgate_domain::call::PAGE_LIMIT_MAX as usize,
            cursor,
            ..ListQuery::of(&kinds::FILE, "/v1/files")
        };
        let response = client
            .begin(ask(profile, Call::list(page), pending.request))
            .ok()?
            .await
            .ok()?;
        let Ok(Shown::Page { items, has_more, .. }) = &response.result else {
            return None;
        };
        let files = || {
            items.iter().filter_map(|item| match item {
                Item::Object(object) => Some(object),
                _ => None,
            })
        };
        let names = |object: &Object| {
            object
                .contents()
                .is_some_and(|contents| contents.digest == pending.digest)
        };
        if files().any(names) {
            return Some(true);
        }
        match files().next_back() {
            Some(oldest) if *has_more => cursor = Cursor::After(oldest.id()),
            _ => return Some(false),
        }
    }
    tracing::warn!("an account has too many files to tell whether bytes of an upload are named; they stay");
    None
}

/// The answer with a file's bytes.
pub(crate) async fn contents(services: &Services, contents: &FileContents) -> Result<Answer, Refused> {
    match services.files.read(contents.digest).await {
        Ok(Some(bytes)) if bytes.len() as u64 == contents.size => {
            Ok(Answer::new(200, Content::File(contents.kind.media_type()), bytes))
        }
        Ok(_) => {
            tracing::error!(
                size = contents.size,
                "the bytes of a file are missing or of another length"
            );
            Err(errors::internal().into())
        }
        Err(error) => {
            tracing::error!(%error, "the bytes of a file cannot be read");
            Err(errors::internal().into())
        }
    }
}

/// Answers a visit of a file link, which needs no key. `request` is the visit's own id.
pub(crate) async fn visit(
    services: &Services,
    client: &Client,
    token: LinkToken,
    now_ms: u64,
    request: Id,
) -> Result<Answer, Refused> {
    let Some(profile) = services.engine.profile(AccountKey::of(token.account, token.livemode)) else {
        return Ok(over());
    };
    let read = Call::Read(Read::Object(&kinds::FILE_LINK, token.link, "link"));
    let link = client.begin(ask(&profile, read, request))?.await?;
    let Some(Object::FileLink(link)) = shown(&link) else {
        return Ok(over());
    };
    if link.is_expired(now_ms) {
        return Ok(over());
    }
    let read = Call::Read(Read::Object(&kinds::FILE, link.file, "file"));
    let file = client.begin(ask(&profile, read, request))?.await?;
    match shown(&file).and_then(Object::contents) {
        Some(found) => contents(services, found).await,
        None => Ok(over()),
    }
}

fn ask(profile: &Arc<Profile>, call: Call, request: Id) -> Request {
    Request {
        profile: Arc::clone(profile),
        call,
        request,
        version: versions::DEFAULT,
        expand: Expand::default(),
        claim: None,
    }
}

fn shown(response: &Response) -> Option<&Object> {
    match &response.result {
        Ok(Shown::One(Item::Object(object))) => Some(object),
        _ => None,
    }
}

fn over() -> Answer {
    Answer::new(
        404,
        Content::Html,
        "<!doctype html><title>Not found</title><p>This link does not lead anywhere any more.\n",
    )
}
