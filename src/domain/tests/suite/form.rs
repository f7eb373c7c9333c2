//! A form for tests: `a[b]=c` pairs, matched against the declared parameters. The real one is wire's.

use tollgate_domain::api::ENDPOINTS;
use tollgate_domain::{Call, Command, kinds};
use tollgate_resource::operation::{Form, PathArgs, Refused};
use tollgate_resource::{Id, ParamKind, Params, ParamsShape, Step};

pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

impl Form for Pairs {
    fn fill(&mut self, params: &mut dyn Params) -> Result<(), Refused> {
        let shape = params.shape();
        let mut pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, text)| (steps(shape, name), name, text))
            .collect();
        if let Some((_, name, _)) = pairs.iter().find(|(steps, ..)| steps.is_none()) {
            return Err(Refused::Unknown(vec![(*name).clone()]));
        }
        pairs.sort_by_key(|(steps, ..)| match steps.as_ref().expect("checked above")[0] {
            Step::Field(at) => at,
            _ => unreachable!("a path starts with a field"),
        });
        for (steps, name, text) in pairs {
            let steps = steps.expect("checked above");
            params.set(&steps, text).map_err(|problem| Refused::Param {
                param: name.clone(),
                problem,
                text: text.clone(),
            })?;
        }
        Ok(())
    }
}

fn steps<'a>(shape: &ParamsShape, name: &'a str) -> Option<Vec<Step<'a>>> {
    let mut shape = Some(shape);
    let mut items: Option<&ParamKind> = None;
    let mut steps = Vec::new();
    for part in name.split('[').map(|part| part.trim_end_matches(']')) {
        if let Some(of) = items.take() {
            steps.push(Step::Item(part.parse().ok()?));
            (shape, items) = inside(of);
            continue;
        }
        let Some(fields) = shape.map(|shape| shape.fields) else {
            steps.push(part.parse().map_or(Step::Key(part), Step::Item));
            continue;
        };
        let at = fields.iter().position(|field| field.name == part)?;
        steps.push(Step::Field(at as u16));
        (shape, items) = inside(&fields[at].kind);
    }
    Some(steps)
}

/// What stands below a value: the fields of a hash, or the items of an array.
fn inside(kind: &ParamKind) -> (Option<&ParamsShape>, Option<&ParamKind>) {
    match kind {
        ParamKind::Node(shape) => (Some(shape), None),
        ParamKind::List { of, .. } => (None, Some(of)),
        _ => (None, None),
    }
}

/// The command that the operation `name` makes of `pairs`.
pub(crate) fn command(name: &str, pairs: &[(&str, &str)]) -> Command {
    command_with(name, &[], pairs)
}

/// As `command`, for an operation on one payment intent.
pub(crate) fn command_at(name: &str, intent: Id, pairs: &[(&str, &str)]) -> Command {
    let text = intent.text(&kinds::PAYMENT_INTENT);
    command_with(name, &[("intent", &text)], pairs)
}

/// As `command`, for an operation whose path names objects.
pub(crate) fn command_with(name: &str, segments: &[(&'static str, &str)], pairs: &[(&str, &str)]) -> Command {
    let endpoint = ENDPOINTS
        .iter()
        .find(|endpoint| endpoint.name == name)
        .expect("a declared operation");
    let mut form = Pairs(
        pairs
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
    );
    match (endpoint.parse)(&PathArgs { segments }, &mut form) {
        Ok(Call::Write(command)) => command,
        other => panic!("{name}: {other:?}"),
    }
}
