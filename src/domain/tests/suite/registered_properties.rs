//! Random sequences of legal and illegal calls against small models of what an account registers: configurations of payment
//! methods, domains, and domains of Apple Pay; and of what a payment intent pays for, item by item.

use crate::form::{command, command_at, command_with};
use crate::shop::Shop;
use proptest::prelude::*;
use tollgate_domain::payments::payment_method::PaymentMethodType;
use tollgate_domain::payments::payment_method_configuration::ConfiguredMethod;
use tollgate_domain::{Command, Object, Reply, Stop, kinds};
use tollgate_resource::{Id, Kind};

const NAMES: [&str; 4] = ["shop.example.com", "SHOP.example.com", "pay.example.org", "no domain"];

#[derive(Clone, Debug)]
enum Step {
    Configure {
        ideal: Option<bool>,
    },
    Reconfigure {
        nth: usize,
        ideal: Option<bool>,
        active: Option<bool>,
    },
    Pay {
        nth: usize,
    },
    Register {
        name: usize,
        enabled: Option<bool>,
    },
    Enable {
        nth: usize,
        enabled: Option<bool>,
    },
    RegisterApple {
        name: usize,
    },
    ForgetApple {
        nth: usize,
    },
}

/// A domain as it should be.
#[derive(Clone, Debug, PartialEq)]
struct Domain {
    id: Id,
    name: String,
    enabled: bool,
    deleted: bool,
}

#[derive(Default)]
struct Model {
    /// Configurations: whether they offer iDEAL, and whether they can be used.
    configurations: Vec<(Id, bool, bool)>,
    domains: Vec<Domain>,
    apple: Vec<Domain>,
}

struct Play {
    shop: Shop,
    model: Model,
}

impl Play {
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Configure { ideal } => {
                let pairs = preference(ideal);
                let made = self.ask(&command("create_payment_method_configuration", &pairs));
                let id = made.expect("an account has room for it");
                self.model.configurations.push((id, ideal == Some(true), true));
            }
            Step::Reconfigure { nth, ideal, active } => {
                let Some((id, ..)) = self.model.configurations.get(nth).copied() else {
                    return;
                };
                let mut pairs = preference(ideal);
                let text = active.map(|active| active.to_string());
                pairs.extend(text.as_deref().map(|text| ("active", text)));
                let changed = self.at(
                    "update_payment_method_configuration",
                    "configuration",
                    &kinds::PAYMENT_METHOD_CONFIGURATION,
                    id,
                    &pairs,
                );
                assert_eq!(changed, Ok(id));
                let known = &mut self.model.configurations[nth];
                known.1 = ideal.unwrap_or(known.1);
                known.2 = active.unwrap_or(known.2);
            }
            Step::Pay { nth } => {
                let Some((id, ideal, active)) = self.model.configurations.get(nth).copied() else {
                    return;
                };
                let text = id.text(&kinds::PAYMENT_METHOD_CONFIGURATION);
                let pairs = [
                    ("amount", "2000"),
                    ("currency", "eur"),
                    ("payment_method_configuration", &*text),
                ];
                let made = self.ask(&command("create_payment_intent", &pairs));
                assert_eq!(made.is_ok(), active, "{made:?}");
                if let Ok(intent) = made {
                    let Object::PaymentIntent(intent) = self.shop.get(&kinds::PAYMENT_INTENT, intent) else {
                        panic!("it is an intent");
                    };
                    assert_eq!(intent.accepted().contains(&PaymentMethodType::Ideal), ideal);
                }
            }
            Step::Register { name, enabled } => {
                let text = enabled.map(|enabled| enabled.to_string());
                let mut pairs = vec![("domain_name", NAMES[name])];
                pairs.extend(text.as_deref().map(|text| ("enabled", text)));
                let made = self.ask(&command("create_payment_method_domain", &pairs));
                register(&mut self.model.domains, name, enabled, made);
            }
            Step::Enable { nth, enabled } => {
                let Some(known) = self.model.domains.get_mut(nth) else {
                    return;
                };
                known.enabled = enabled.unwrap_or(known.enabled);
                let id = known.id;
                let text = enabled.map(|enabled| enabled.to_string());
                let pairs: Vec<_> = text.as_deref().map(|text| ("enabled", text)).into_iter().collect();
                let changed = self.at(
                    "update_payment_method_domain",
                    "payment_method_domain",
                    &kinds::PAYMENT_METHOD_DOMAIN,
                    id,
                    &pairs,
                );
                assert_eq!(changed, Ok(id));
            }
            Step::RegisterApple { name } => {
                let made = self.ask(&command("create_apple_pay_domain", &[("domain_name", NAMES[name])]));
                register(&mut self.model.apple, name, None, made);
            }
            Step::ForgetApple { nth } => {
                let Some(known) = self.model.apple.get_mut(nth) else {
                    return;
                };
                let gone = std::mem::replace(&mut known.deleted, true);
                let id = known.id;
                let told = self.at("delete_apple_pay_domain", "domain", &kinds::APPLE_PAY_DOMAIN, id, &[]);
                assert_eq!(told, if gone { Err(404) } else { Ok(id) });
            }
        }
    }

    /// What a command answers with, or the status that refuses it. None of these has an event.
    fn ask(&mut self, command: &Command) -> Result<Id, u16> {
        match self.shop.ask(command) {
            Ok(done) => match done.decision.reply {
                Reply::Object(_, id) => Ok(id),
                other => panic!("{other:?}"),
            },
            Err(Stop::Reject(reject)) => Err(reject.status),
            Err(stop) => panic!("nothing is unloaded or busy here, but {stop:?}"),
        }
    }

    fn at(
        &mut self,
        name: &str,
        segment: &'static str,
        kind: &'static Kind,
        id: Id,
        pairs: &[(&str, &str)],
    ) -> Result<Id, u16> {
        let text = id.text(kind);
        self.ask(&command_with(name, &[(segment, &text)], pairs))
    }

    /// Compares everything with the model.
    fn compare(&self) {
        let account = &self.shop.account;
        for (id, ideal, active) in &self.model.configurations {
            let is = account.configuration(*id).expect("it was made");
            assert_eq!(!is.inactive, *active);
            assert_eq!(is.on.contains(&ConfiguredMethod::Ideal), *ideal);
        }
        for (kind, models) in [
            (&kinds::PAYMENT_METHOD_DOMAIN, &self.model.domains),
            (&kinds::APPLE_PAY_DOMAIN, &self.model.apple),
        ] {
            for model in models {
                let (Object::PaymentMethodDomain(is) | Object::ApplePayDomain(is)) = self.shop.get(kind, model.id)
                else {
                    panic!("it is a domain");
                };
                let is = Domain {
                    id: is.id,
                    name: is.name.to_string(),
                    enabled: !is.disabled,
                    deleted: is.deleted,
                };
                assert_eq!(&is, model);
            }
        }
        crate::audit::check(&self.shop);
    }
}

/// A name that is registered keeps its domain.
fn register(models: &mut Vec<Domain>, name: usize, enabled: Option<bool>, made: Result<Id, u16>) {
    if NAMES[name] == "no domain" {
        assert_eq!(made, Err(400));
        return;
    }
    let id = made.expect("an account has room for it");
    let name = NAMES[name].to_lowercase();
    match models.iter_mut().find(|known| !known.deleted && known.name == name) {
        Some(known) => {
            assert_eq!(known.id, id);
            known.enabled = enabled.unwrap_or(known.enabled);
        }
        None => models.push(Domain {
            id,
            name,
            enabled: enabled.unwrap_or(true),
            deleted: false,
        }),
    }
}

fn preference(ideal: Option<bool>) -> Vec<(&'static str, &'static str)> {
    let word = ideal.map(|on| if on { "on" } else { "off" });
    word.map(|word| ("ideal[display_preference][preference]", word))
        .into_iter()
        .collect()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let nth = || 0..3usize;
    let some = || proptest::option::of(any::<bool>());
    let step = prop_oneof![
        2 => some().prop_map(|ideal| Step::Configure { ideal }),
        3 => (nth(), some(), some()).prop_map(|(nth, ideal, active)| Step::Reconfigure { nth, ideal, active }),
        3 => nth().prop_map(|nth| Step::Pay { nth }),
        3 => (0..NAMES.len(), some()).prop_map(|(name, enabled)| Step::Register { name, enabled }),
        2 => (nth(), some()).prop_map(|(nth, enabled)| Step::Enable { nth, enabled }),
        2 => (0..NAMES.len()).prop_map(|name| Step::RegisterApple { name }),
        2 => nth().prop_map(|nth| Step::ForgetApple { nth }),
    ];
    proptest::collection::vec(step, 1..30)
}

/// What an amount is made of: the cost and number of each item, shipping, tax and discount.
#[derive(Clone, Debug)]
struct Parts {
    items: Vec<(i64, i64)>,
    shipping: i64,
    tax: i64,
    discount: i64,
}

impl Parts {
    fn sum(&self) -> i64 {
        let items: i64 = self.items.iter().map(|(cost, quantity)| cost * quantity).sum();
        items + self.shipping + self.tax - self.discount
    }

    /// Whether they may stand with an amount.
    fn fit(&self, amount: i64) -> bool {
        let around = self.shipping + self.tax - self.discount;
        around <= amount && (self.items.is_empty() || self.sum() == amount)
    }

    fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = vec![
            ("amount_details[shipping][amount]".to_owned(), self.shipping.to_string()),
            ("amount_details[tax][total_tax_amount]".to_owned(), self.tax.to_string()),
            ("amount_details[discount_amount]".to_owned(), self.discount.to_string()),
        ];
        for (at, (cost, quantity)) in self.items.iter().enumerate() {
            let of_item = |name: &str| format!("amount_details[line_items][{at}][{name}]");
            pairs.push((of_item("product_name"), "Pen".to_owned()));
            pairs.push((of_item("unit_cost"), cost.to_string()));
            pairs.push((of_item("quantity"), quantity.to_string()));
        }
        if self.items.is_empty() {
            pairs.push(("amount_details[line_items]".to_owned(), String::new()));
        }
        pairs
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let items = proptest::collection::vec((0..200i64, 1..4i64), 0..4);
    (items, 0..300i64, 0..300i64, 0..300i64).prop_map(|(items, shipping, tax, discount)| Parts {
        items,
        shipping,
        tax,
        discount,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn what_an_account_registers_does_what_its_model_does(steps in steps()) {
        let mut play = Play { shop: Shop::open(), model: Model::default() };
        for step in &steps {
            play.step(step);
            play.compare();
        }
    }

    #[test]
    fn the_parts_of_an_amount_add_up_or_are_refused(
        changes in proptest::collection::vec((parts(), 50..900i64, 0..4u8), 1..12),
    ) {
        let mut shop = Shop::open();
        let made = shop.ask(&command("create_payment_intent", &[("amount", "500"), ("currency", "usd")])).expect("made");
        let Reply::Object(_, id) = made.decision.reply else { panic!("it is made") };
        let mut amount = 500;
        let mut kept: Option<Parts> = None;
        for (parts, other, how) in changes {
            // Mostly the amount that the parts make; sometimes another one, or the parts or the amount alone.
            let wanted = if how == 0 { other } else { parts.sum().max(50) };
            let mut pairs = Vec::new();
            let (new_amount, new_parts) = match how {
                2 => (amount, Some(parts)),
                3 => (wanted, kept.clone()),
                _ => (wanted, Some(parts)),
            };
            if how != 2 {
                pairs.push(("amount".to_owned(), new_amount.to_string()));
            }
            if how != 3 {
                pairs.extend(new_parts.as_ref().expect("just given").pairs());
            }
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            let fits = new_parts.as_ref().is_none_or(|parts| parts.fit(new_amount));
            let done = shop.ask(&command_at("update_payment_intent", id, &pairs));
            prop_assert_eq!(done.is_ok(), fits, "{:?} of {}", new_parts, new_amount);
            if fits {
                (amount, kept) = (new_amount, new_parts);
            }
            let Object::PaymentIntent(intent) = shop.get(&kinds::PAYMENT_INTENT, id) else { panic!("it is an intent") };
            prop_assert_eq!(intent.amount, amount);
            let items = intent.amount_details().map_or(0, |details| details.line_items.len());
            prop_assert_eq!(items, kept.as_ref().map_or(0, |parts| parts.items.len()));
        }
        crate::audit::check(&shop);
    }
}
