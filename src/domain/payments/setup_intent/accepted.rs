//! What a setup intent may be set up with.

use super::SetupIntent;
use crate::decision::{Case, Stop};
use crate::payments::payment_intent::accepted::{NO_RETURN_URL, no_way_back};
use crate::payments::payment_intent::{AllowRedirects, checks as payment_checks};
use crate::payments::payment_method::PaymentMethodType;
use crate::payments::payment_method_configuration::{
    Configured, Narrowed, accepted, allowed_types, check_some_fit, configured,
};
use crate::reject::Reject;
use tollgate_resource::{Id, Names};

impl SetupIntent {
    /// The types of payment methods that can be set up.
    pub fn types(&self) -> &[PaymentMethodType] {
        match self.extras.as_deref() {
            Some(extras) if !extras.types.is_empty() => &extras.types,
            _ => PaymentMethodType::DEFAULT,
        }
    }

    /// Takes over the types of payment methods that a request lists, if it lists any.
    pub(crate) fn list_types(&mut self, asked: &[Box<str>], types: Vec<PaymentMethodType>) {
        if !asked.is_empty() {
            self.automatic_payment_methods = None;
            if types != self.types() || self.configuration().is_some() || self.allows_some_only() {
                let extras = self.extras_mut();
                (extras.types, extras.configuration) = (types, None);
                extras.allowed_types = Vec::new();
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
        let extras = self.extras_mut();
        (extras.types, extras.configuration) = (types, None);
        extras.allowed_types = asked.to_vec();
        extras.excluded_types = Vec::new();
        check_some_fit(&self.accepted())
    }

    /// Takes back the types that were allowed: what the account's configuration offers is welcome again, where the
    /// request's version has that.
    pub(super) fn allow_all(&mut self, case: &Case<'_>) -> Result<(), Stop> {
        if !self.allows_some_only() {
            return Ok(());
        }
        let extras = self.extras_mut();
        (extras.allowed_types, extras.types) = (Vec::new(), Vec::new());
        self.automatic_payment_methods = payment_checks::automatic_methods(case, None, &[])?;
        self.configure(case, None)
    }

    /// Whether a request said which types of payment methods may be used.
    fn allows_some_only(&self) -> bool {
        self.extras.as_deref().is_some_and(|all| !all.allowed_types.is_empty())
    }

    /// Whether its types are other, or more, than cards.
    fn settled_types(&self) -> bool {
        self.extras.as_deref().is_some_and(|all| !all.types.is_empty())
    }

    /// The configuration that was named for it; `None` for the default one.
    pub fn configuration(&self) -> Option<Id> {
        self.extras.as_deref()?.configuration
    }

    /// The types of payment methods that can be set up with it, of those that were settled.
    pub fn accepted(&self) -> Vec<PaymentMethodType> {
        let extras = self.extras.as_deref();
        accepted(
            self.types(),
            Narrowed {
                automatic: self.automatic_payment_methods.is_some() || self.allows_some_only(),
                money: None,
                held: false,
                saved: true,
                excluded: extras.map_or(&[][..], |extras| &extras.excluded_types),
            },
        )
    }

    /// Whether that type can be set up. Where nothing was settled, because the account has never changed its default
    /// configuration, every type that is offered here and can be saved is.
    pub fn allows(&self, kind: PaymentMethodType) -> bool {
        let settled = self.settled_types() || self.configuration().is_some();
        if self.automatic_payment_methods.is_some() && !settled {
            return kind.rules().saves;
        }
        self.accepted().contains(&kind)
    }

    /// Takes over what a configuration offers, where one says what is set up: the one a request names, or the default
    /// one.
    pub(super) fn configure(&mut self, case: &Case<'_>, named: Option<&str>) -> Result<(), Stop> {
        let configured = configured(case, named)?;
        let plain = !self.settled_types() && self.configuration().is_none();
        // An intent whose types were listed keeps them.
        if self.automatic_payment_methods.is_none() || configured.is_none() && plain {
            return Ok(());
        }
        let Configured { id, types } = configured.unwrap_or(Configured {
            id: None,
            types: Vec::new(),
        });
        let extras = self.extras_mut();
        (extras.configuration, extras.types) = (id, types);
        Ok(())
    }

    /// Refuses types of a list that cannot be saved.
    pub(super) fn check_types(&self) -> Result<(), Stop> {
        if self.automatic_payment_methods.is_some() || self.allows_some_only() {
            return Ok(());
        }
        let Some(other) = self.types().iter().find(|kind| !kind.rules().saves) else {
            return Ok(());
        };
        let message = format!(
            "The payment method type \"{}\" cannot be set up for payments to come. Use it with a PaymentIntent.",
            other.name()
        );
        Err(Reject::invalid(None, message).with_param("payment_method_types").into())
    }

    /// Refuses a confirmation that says nowhere to return to, where the payer may be sent to another page.
    pub(super) fn check_return_url(
        &self,
        case: &Case<'_>,
        kind: PaymentMethodType,
        return_url: Option<&str>,
    ) -> Result<(), Stop> {
        if return_url.is_some() {
            return Ok(());
        }
        let may_redirect = self.automatic_payment_methods == Some(AllowRedirects::Always)
            && self.settled_types()
            && self.accepted().iter().any(|kind| kind.rules().redirects);
        let reject = if kind.rules().redirects {
            no_way_back(kind)
        } else if may_redirect {
            Reject::invalid(None, NO_RETURN_URL.replacen("PaymentIntent", "SetupIntent", 1)).begun()
        } else {
            return Ok(());
        };
        let known = self.id.seq() <= case.world.account.seq;
        Err(match known {
            true => reject.with_setup_intent(self.id).into(),
            false => reject.into(),
        })
    }
}
