//! What a list holds: once as the index finds it, once by looking at everything.

use super::Player;
use tollgate_domain::{Facts, ListQuery, Object};

impl Player {
    /// The objects of a list, newest first, by name.
    pub(super) fn list(&self, query: &ListQuery) -> String {
        let mut listed: Vec<&Object> = self.shop.objects.0.values().collect();
        listed.retain(|object| {
            let of_kind = std::iter::once(query.kind).chain(query.also.iter().copied());
            of_kind.into_iter().any(|kind| kind == object.kind())
                && query.belongs(object)
                && self
                    .shop
                    .with_context(|context| object.with_shown(context, |shown| query.admits_shown(shown)))
        });
        listed.sort_by_key(|object| std::cmp::Reverse(object.id().seq()));
        for object in &listed {
            assert!(
                self.is_found(query, object),
                "the index does not find {} for {query:?}",
                self.name(object.id())
            );
        }
        let names: Vec<String> = listed.iter().map(|object| self.name(object.id())).collect();
        let names = if names.is_empty() {
            "none".into()
        } else {
            names.join(", ")
        };
        format!("list of {}: {names}", query.kind.object)
    }

    fn is_found(&self, query: &ListQuery, object: &Object) -> bool {
        let seq = object.id().seq();
        let parents = query.parents.iter().map(|(_, id)| id.seq());
        let filed = |list: u64| {
            let member = (list, object.kind().number, seq);
            self.shop
                .records
                .iter()
                .any(|facts| facts.index().lists.contains(&member))
        };
        let bears = |facts: &&Facts| facts.seq_before < seq && seq <= facts.seq_after;
        let birth = self.shop.records.iter().find(bears).expect("it was born");
        parents.chain(query.marks.iter().copied()).all(filed)
            && (query.tags() == 0 || birth.index().tags & query.tags() != 0)
    }
}
