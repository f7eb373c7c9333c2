//! What an intent may be paid with.

use super::{AllowRedirects, CaptureMethod, PaymentIntent, checks};
use crate::decision::{Case, Stop};
use crate::payments::payment_method::PaymentMethodType;
use crate::payments::payment_method_configuration::{
    Configured, Narrowed, accepted, allowed_types, check_some_fit, check_types, configured,
};
use crate::reject::{Reject, codes};
use tollgate_resource::{Id, Names};

impl PaymentIntent {
    /// The types of payment methods that were listed for it, or that its configuration offers.
    pub fn types(&self) -> &[PaymentMethodType] {
        match self.particulars.as_deref() {
            Some(particulars) if !particulars.types.is_empty() => &particulars.types,
            _ => PaymentMethodType::DEFAULT,
        }
    }

    /// Takes over the types of payment methods that a request lists, if it lists any.
    pub(super) fn list_types(&mut self, asked: &[Box<str>], types: Vec<PaymentMethodType>) {
        if !asked.is_empty() {
            self.automatic_payment_methods = None;
            if types != self.types() || self.configuration().is_some() || self.allows_some_only() {
                self.with_particulars(|particulars| {
                    particulars.types = types;
                    particulars.configuration = None;
                    particulars.allowed_types = Vec::new();
                });
            }
        }
    }

    /// Takes over the types of payment methods that a request allows: they are instead of what said so before.
    ///
    /// # Errors
    /// See [`allowed_types`].
    pub(super) fn allow_types(&mut self, asked: &[Box<str>]) -> Result<(), Stop> {
        if asked.is_empty() {
            return Ok(());
        }
        let types = allowed_types(asked)?;
        self.automatic_payment_methods = None;
        self.with_particulars(|particulars| {
            particulars.allowed_types = asked.to_vec();
            particulars.types = types;
            particulars.configuration = None;
            particulars.excluded_types = Vec::new();
        });
        Ok(())
    }

    /// Takes back the types that were allowed: what the account's configuration offers is welcome again, where the
    /// request's version has that.
    pub(super) fn allow_all(&mut self, case: &Case<'_>) -> Result<(), Stop> {
        if !self.allows_some_only() {
            return Ok(());
        }
        self.with_particulars(|particulars| {
            particulars.allowed_types = Vec::new();
            particulars.types = Vec::new();
        });
        self.automatic_payment_methods = checks::automatic_methods(case, None, &[])?;
        self.configure(case, None)
    }

    /// Whether a request said which types of payment methods may be used.
    fn allows_some_only(&self) -> bool {
        self.particulars
            .as_deref()
            .is_some_and(|all| !all.allowed_types.is_empty())
    }

    /// Whether its types are other, or more, than cards.
    fn settled_types(&self) -> bool {
        self.particulars.as_deref().is_some_and(|all| !all.types.is_empty())
    }

    /// The configuration that was named for it; `None` for the default one.
    pub fn configuration(&self) -> Option<Id> {
        self.particulars.as_deref()?.configuration
    }

    /// The types of payment methods it can be paid with, of those that were settled.
    pub fn accepted(&self) -> Vec<PaymentMethodType> {
        let particulars = self.particulars.as_deref();
        accepted(
            self.types(),
            Narrowed {
                automatic: self.automatic_payment_methods.is_some() || self.allows_some_only(),
                money: Some(self.money()),
                held: self.capture_method == CaptureMethod::Manual,
                saved: self.setup_future_usage.is_some(),
                excluded: particulars.map_or(&[][..], |particulars| &particulars.excluded_types),
            },
        )
    }

    /// Public names of the types it can be paid with.
    pub(super) fn accepted_names(&self) -> Vec<&'static str> {
        // Nearly every intent.
        if !self.settled_types() {
            return vec![PaymentMethodType::Card.name()];
        }
        self.accepted().into_iter().map(Names::name).collect()
    }

    /// Whether it can be paid with that type. Where nothing was settled, because the account has never changed its
    /// default configuration, every type that is offered here can.
    pub fn allows(&self, kind: PaymentMethodType) -> bool {
        let settled = self.settled_types() || self.configuration().is_some();
        if self.automatic_payment_methods.is_some() && !settled {
            let excluded = self.particulars.as_deref().map(|all| &all.excluded_types);
            return excluded.is_none_or(|types| types.iter().all(|word| **word != *kind.name()));
        }
        if !settled {
            return kind == PaymentMethodType::Card;
        }
        self.accepted().contains(&kind)
    }

    /// Takes over what a configuration offers, where one says what it is paid with: the one a request names, or the
    /// default one.
    pub(super) fn configure(&mut self, case: &Case<'_>, named: Option<&str>) -> Result<(), Stop> {
        let configured = configured(case, named)?;
        let before = self.particulars.as_deref();
        let plain = before.is_none_or(|all| all.types.is_empty() && all.configuration.is_none());
        // An intent whose types were listed keeps them.
        if self.automatic_payment_methods.is_none() || configured.is_none() && plain {
            return Ok(());
        }
        let Configured { id, types } = configured.unwrap_or(Configured {
            id: None,
            types: Vec::new(),
        });
        self.with_particulars(|particulars| {
            particulars.configuration = id;
            particulars.types = types;
        });
        Ok(())
    }

    /// Refuses what cannot be: types of a list that do not take what is to be paid, or cannot be held or saved as is
    /// asked.
    pub(super) fn check_types(&self) -> Result<(), Stop> {
        if self.automatic_payment_methods.is_some() || !self.settled_types() {
            return Ok(());
        }
        if self.allows_some_only() {
            return check_some_fit(&self.accepted());
        }
        let saved = self.setup_future_usage.is_some();
        let held = self.capture_method == CaptureMethod::Manual;
        check_types(self.types(), self.money(), held, saved)
    }

    /// Refuses a confirmation that says nowhere to return to, where the payer may be sent to another page.
    pub(super) fn check_return_url(
        &self,
        case: &Case<'_>,
        kind: PaymentMethodType,
        return_url: Option<&str>,
        off_session: bool,
    ) -> Result<(), Stop> {
        if return_url.is_some() {
            return Ok(());
        }
        // Nobody is there to be sent anywhere.
        if off_session {
            return Ok(());
        }
        let reject = if kind.rules().redirects {
            no_way_back(kind)
        } else if self.may_redirect() {
            Reject::invalid(None, NO_RETURN_URL).begun()
        } else {
            return Ok(());
        };
        let known = self.id.seq() <= case.world.account.seq;
        Err(match known {
            true => reject.with_payment_intent(self.id).into(),
            false => reject.into(),
        })
    }

    /// Whether its configuration offers a type that sends the payer to another page, which is welcome.
    fn may_redirect(&self) -> bool {
        self.automatic_payment_methods == Some(AllowRedirects::Always)
            && self.settled_types()
            && self.accepted().iter().any(|kind| kind.rules().redirects)
    }
}

/// The refusal to send a payer to another page without a way back.
pub(crate) fn no_way_back(kind: PaymentMethodType) -> Reject {
    let message = format!(
        "You must provide a `return_url` when confirming with a payment method of type `{}`: the payer is sent to another \
         page and back.",
        kind.name()
    );
    let code = Some(codes::PAYMENT_INTENT_REDIRECT_CONFIRMATION_WITHOUT_RETURN_URL);
    Reject::invalid(code, message).with_param("return_url").begun()
}

/// What an intent of either kind is told whose configuration offers types that redirect, without a way back.
pub(crate) const NO_RETURN_URL: &str = "This PaymentIntent is configured to accept payment methods enabled in your \
    Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a \
    `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to \
    `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.";
