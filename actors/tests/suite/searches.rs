//! Searches: pages, counts, and how far one page looks.

use crate::engine::in_system;
use crate::lists::{ask, start};
use crate::office::{Desk, customer, expanding, merchant, object, pay};
use tollgate_actors::{Client, Request, Response, Shown};
use tollgate_domain::call::{Call, Command};
use tollgate_domain::customers::customer::CreateCustomer;
use tollgate_domain::object::Item;
use tollgate_domain::search::{CUSTOMERS, PAYMENT_INTENTS, PageToken, Query, SEARCHED_MAX, SearchQuery, Searched};
use tollgate_resource::{Id, MetadataUpdate, Update};
use tollgate_store::memory::{Memory, Mode};

pub(crate) fn search(
    desk: &mut Desk,
    searched: &'static Searched,
    query: &str,
    limit: usize,
    page: Option<&str>,
) -> Request {
    let token = PageToken::of(searched, query);
    let mut request = desk.balance();
    request.call = Call::Search(Box::new(SearchQuery {
        searched,
        query: Query::parse(query, searched).expect("a query"),
        limit,
        below: page.map(|page| token.read(page).expect("a page of this search")),
        token,
    }));
    request
}

fn found(answer: &Response) -> (Vec<Id>, Option<String>, Option<u64>) {
    let Ok(Shown::Found {
        items,
        next_page,
        total_count,
        ..
    }) = &answer.result
    else {
        panic!("a page of a search, not {:?}", answer.result)
    };
    let ids = items.iter().map(|item| match item {
        Item::Object(object) => object.id(),
        _ => panic!("only objects are searched"),
    });
    (ids.collect(), next_page.clone(), *total_count)
}

/// Every id of a search, page by page, and how many pages that took.
async fn all(client: &Client, desk: &mut Desk, searched: &'static Searched, query: &str) -> (Vec<Id>, usize) {
    let (mut ids, mut pages, mut page) = (Vec::new(), 0, None::<String>);
    loop {
        let (more, next, _) = found(&ask(client, search(desk, searched, query, 3, page.as_deref())).await);
        ids.extend(more);
        pages += 1;
        match next {
            Some(next) => page = Some(next),
            None => return (ids, pages),
        }
    }
}

#[test]
fn pages_follow_each_other_and_are_counted_when_asked() {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store);
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let mut wanted = Vec::new();
        for n in 0..10 {
            let paid = ask(&client, desk.write(pay(1_000 + n, "visa"))).await;
            if n >= 4 {
                wanted.insert(0, object(&paid).id());
            }
        }
        let query = "amount>=1004 AND status:'succeeded'";
        assert_eq!(
            all(&client, &mut desk, &PAYMENT_INTENTS, query).await,
            (wanted.clone(), 2)
        );
        let asked = search(&mut desk, &PAYMENT_INTENTS, query, 3, None);
        let (_, next, total) = found(&ask(&client, expanding(asked.clone(), &["total_count"])).await);
        assert_eq!((next.is_some(), total), (true, Some(6)));
        let (_, _, total) = found(&ask(&client, asked).await);
        assert_eq!(total, None, "only when asked");

        let mut other = Desk::of(merchant(2));
        assert_eq!(all(&client, &mut other, &PAYMENT_INTENTS, query).await, (Vec::new(), 1));
        let nobody = "customer:'cus_0000000000000000000001'";
        assert_eq!(all(&client, &mut desk, &PAYMENT_INTENTS, nobody).await, (Vec::new(), 1));
        let soon = format!("created>{}", wanted[0].created());
        assert_eq!(all(&client, &mut desk, &PAYMENT_INTENTS, &soon).await, (Vec::new(), 1));
        let since = format!("created>={} AND amount:1009", wanted[0].created());
        assert_eq!(
            all(&client, &mut desk, &PAYMENT_INTENTS, &since).await,
            (vec![wanted[0]], 1)
        );
    });
}

#[test]
fn a_search_sees_the_newest_acknowledged_version() {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store);
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let id = object(&ask(&client, desk.write(customer())).await).id();
        assert_eq!(all(&client, &mut desk, &CUSTOMERS, "email~'rosen'").await.0, []);
        let change = tollgate_domain::customers::customer::UpdateCustomer {
            email: Update::Set("jenny.rosen@example.com".into()),
            ..Default::default()
        };
        ask(&client, desk.write(Command::UpdateCustomer(id, Box::new(change)))).await;
        assert_eq!(all(&client, &mut desk, &CUSTOMERS, "email~'rosen'").await.0, [id]);
    });
}

#[test]
fn a_page_that_found_something_ends_after_so_many_objects() {
    in_system(async {
        let store = Memory::new(Mode::Immediate);
        let engine = start(&store);
        let client = engine.client();
        let mut desk = Desk::of(merchant(1));
        let named = |name: &str| {
            let mut metadata = MetadataUpdate::default();
            metadata.pairs.push(("name".into(), name.into()));
            Command::CreateCustomer(Box::new(CreateCustomer {
                metadata,
                ..CreateCustomer::default()
            }))
        };
        let oldest = object(&ask(&client, desk.write(named("needle"))).await).id();
        for _ in 0..SEARCHED_MAX {
            ask(&client, desk.write(named("hay"))).await;
        }
        let newest = object(&ask(&client, desk.write(named("needle"))).await).id();
        let query = "metadata['name']:'needle'";
        let first = ask(&client, search(&mut desk, &CUSTOMERS, query, 100, None)).await;
        let (ids, next, _) = found(&first);
        assert_eq!(ids, [newest]);
        let page = next.expect("there is more to look at");
        let second = ask(&client, search(&mut desk, &CUSTOMERS, query, 100, Some(&page))).await;
        assert_eq!(found(&second), (vec![oldest], None, None));
        // An empty page would end the paging of some clients, so this one looks further.
        let query = "-metadata['name']:'hay' AND created>0";
        let page = PageToken::of(&CUSTOMERS, query).write(newest.seq());
        let only = ask(&client, search(&mut desk, &CUSTOMERS, query, 1, Some(&page))).await;
        assert_eq!(found(&only).0, [oldest]);
    });
}
