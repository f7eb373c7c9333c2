//! The edge of the API: from method, path and form to a call of the domain.

mod route;
#[cfg(test)]
mod tests;

use crate::expand::Shapes;
use crate::forms::{Decoded, Filling, Table};

use crate::versions::{CHANGES, Chain};
use crate::wording::refused;
use route::{Routes, Segments};
use smallvec::SmallVec;
use tollgate_domain::{Call, Reject, Secrets, kinds};
use tollgate_resource::operation::PathArgs;
use tollgate_resource::{Endpoint, Expand, Method, Shape, Version};

/// Every operation, compiled once and shared by all workers. `C` is what a request becomes: the domain's [`Call`].
pub struct Edge<C: 'static = Call> {
    routes: Routes,
    operations: Vec<Operation<C>>,
    shapes: Shapes,
    chain: Chain,
}

/// One operation, compiled.
struct Operation<C: 'static> {
    endpoint: &'static Endpoint<C>,
    table: Table,
    /// The fixed and variable segments of the path.
    path: Vec<PathPart>,
}

/// A segment of a declared path.
enum PathPart {
    Fixed(&'static str),
    Variable(&'static str),
}

/// A request's operation, and the variable segments of its path.
pub struct Match<'p, C: 'static = Call> {
    number: usize,
    endpoint: &'static Endpoint<C>,
    segments: Segments<'p>,
}

/// What else a request is held against: it sees the parameters as the operation takes them, whatever way they were sent.
pub type Hold<'h> = &'h dyn Fn(&Filling<'_>) -> Result<(), Box<Reject>>;

/// A parsed request.
#[derive(Debug, Clone)]
pub struct Parsed<C = Call> {
    /// What is asked.
    pub call: C,
    /// What is to be shown in place. For lists, the paths start with `data`.
    pub expand: Expand,
    /// Keyed hash of method, path and parameters; its top 8 bits are the version of the scheme. 0 for a GET.
    pub fingerprint: u128,
    /// Keyed hash of method and path alone; 0 for a GET.
    pub endpoint_hash: u64,
    /// Whether it brings a card number, which an account may refuse from its own servers.
    pub brings_card_number: bool,
}

impl Edge<Call> {
    /// Compiles the domain's operations.
    ///
    /// # Panics
    /// If the declarations contradict each other (two operations at one path, a parameter nested too deep).
    pub fn new(endpoints: &'static [&'static Endpoint<Call>]) -> Edge<Call> {
        let objects = tollgate_domain::kinds::ALL
            .iter()
            .filter_map(|kind| tollgate_domain::api::shape_of(kind));
        Edge::with_shapes(endpoints, objects, Chain::new(CHANGES))
    }
}

impl<C> Edge<C> {
    /// Compiles operations that show `objects` besides what they answer with, at the versions of `chain`.
    pub fn with_shapes(
        endpoints: &'static [&'static Endpoint<C>],
        objects: impl IntoIterator<Item = &'static Shape>,
        chain: Chain,
    ) -> Edge<C> {
        let answered = endpoints.iter().map(|endpoint| endpoint.answers.shape());
        Edge {
            routes: Routes::new(endpoints.iter().map(|endpoint| (endpoint.method, endpoint.path))),
            operations: endpoints.iter().copied().map(Operation::new).collect(),
            shapes: Shapes::new(objects.into_iter().chain(answered)),
            chain,
        }
    }

    /// The operations, in the order of their numbers.
    pub fn operations(&self) -> impl Iterator<Item = &'static Endpoint<C>> {
        self.operations.iter().map(|operation| operation.endpoint)
    }

    /// The operation at `path` (without the query string). `None` is
    /// [`unrecognized_url`](crate::errors::unrecognized_url).
    pub fn route<'p>(&self, method: &str, path: &'p str) -> Option<Match<'p, C>> {
        let (number, segments) = self.routes.find(method, path)?;
        Some(Match {
            number,
            endpoint: self.operations[number].endpoint,
            segments,
        })
    }

    /// Reads a form (the body of a POST, else the query string) into a call.
    ///
    /// # Errors
    /// A 400 or 404 in the API's words: unknown parameters first, then one problem in declaration order, then the path,
    /// then `expand`.
    #[expect(clippy::result_large_err, reason = "the caller renders it at once")]
    pub fn parse(
        &self,
        matched: &Match<'_, C>,
        form: &[u8],
        version: Version,
        secrets: &Secrets,
    ) -> Result<Parsed<C>, Reject> {
        self.parse_held(matched, form, version, secrets, None)
    }

    /// The same, and holds what the operation takes against `hold`: after what is wrong in it for anybody.
    ///
    /// # Errors
    /// Those of [`Edge::parse`], and of `hold`.
    #[expect(clippy::result_large_err, reason = "the caller renders it at once")]
    pub fn parse_held(
        &self,
        matched: &Match<'_, C>,
        form: &[u8],
        version: Version,
        secrets: &Secrets,
        hold: Option<Hold<'_>>,
    ) -> Result<Parsed<C>, Reject> {
        let mut decoded = Decoded::take();
        let parsed = self.parse_with(&mut decoded, matched, form, version, secrets, hold);
        decoded.give_back();
        parsed.map_err(|reject| *reject)
    }

    fn parse_with(
        &self,
        decoded: &mut Decoded,
        matched: &Match<'_, C>,
        form: &[u8],
        version: Version,
        secrets: &Secrets,
        hold: Option<Hold<'_>>,
    ) -> Result<Parsed<C>, Box<Reject>> {
        let Operation { endpoint, table, .. } = &self.operations[matched.number];
        let word = |refusal| Box::new(refused(&refusal));
        decoded.pairs.read(form).map_err(word)?;
        self.chain
            .rewrite_request(version, endpoint.method, endpoint.path, table, &mut decoded.pairs);
        decoded.place(table, version).map_err(word)?;

        let mut filling = Filling::new(table, decoded, version);
        let segments: SmallVec<[(&'static str, &str); 2]> = self.operations[matched.number]
            .path
            .iter()
            .filter_map(|part| {
                if let PathPart::Variable(name) = part {
                    Some(*name)
                } else {
                    None
                }
            })
            .zip(matched.segments.iter().map(|segment| &**segment))
            .collect();
        let call = (endpoint.parse)(&PathArgs { segments: &segments }, &mut filling).map_err(word)?;
        assert!(
            filling.is_complete(),
            "{} declares parameters and does not read them",
            endpoint.name
        );
        if let Some(hold) = hold {
            hold(&filling)?;
        }
        if endpoint.method == Method::Get
            && let Some(given) = filling.text("client_secret")
        {
            check_client_secret(segments.first().map_or("", |(_, text)| text), given, secrets)?;
        }
        let paths = filling.expand().map_err(word)?;
        let expand = if paths.is_empty() {
            Expand::default()
        } else {
            self.shapes.expand(&paths, endpoint.answers, version)?
        };
        // A read changes nothing, so nobody asks later whether it was the same.
        let (fingerprint, endpoint_hash) = if endpoint.method == Method::Get {
            (0, 0)
        } else {
            let path = self.operations[matched.number].request_path(&matched.segments);
            decoded.fingerprint(table, endpoint.method.name(), &path, secrets)
        };
        Ok(Parsed {
            call,
            expand,
            fingerprint,
            endpoint_hash,
            brings_card_number: decoded.brings_card_number(),
        })
    }
}

/// Refuses a client secret that does not belong to the object of the path. (What changes something is refused by the
/// object itself, in its own words.)
fn check_client_secret(path: &str, given: &str, secrets: &Secrets) -> Result<(), Box<Reject>> {
    let named = kinds::ALL
        .iter()
        .find_map(|kind| kind.parse(path).map(|id| (*kind, id)));
    match named {
        Some((kind, id)) if secrets.client_secret(kind, id) != given => {
            Err(Box::new(crate::errors::client_secret_wrong(kind)))
        }
        _ => Ok(()),
    }
}

impl<C> Operation<C> {
    fn new(endpoint: &'static Endpoint<C>) -> Self {
        let part = |segment: &'static str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => PathPart::Variable(name),
            None => PathPart::Fixed(segment),
        };
        let path = endpoint.path.split('/').skip(1).map(part).collect();
        Operation {
            endpoint,
            table: Table::new(endpoint.params),
            path,
        }
    }

    /// The path of a request, however it was escaped.
    fn request_path(&self, segments: &Segments<'_>) -> String {
        let mut variable = segments.iter();
        let mut path = String::with_capacity(80);
        for part in &self.path {
            path.push('/');
            path.push_str(match part {
                PathPart::Fixed(text) => text,
                PathPart::Variable(_) => variable.next().map_or("", |segment| segment),
            });
        }
        path
    }
}

impl<C> Match<'_, C> {
    /// The operation.
    pub fn endpoint(&self) -> &'static Endpoint<C> {
        self.endpoint
    }

    /// The operation's place among those the edge was compiled of.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The text of the variable segment `at` of its path, decoded.
    pub fn segment(&self, at: usize) -> Option<&str> {
        self.segments.get(at).map(|segment| &**segment)
    }
}
