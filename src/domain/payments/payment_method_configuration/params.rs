//! Parameters and operations of configurations.

use super::{
    ConfigurationList, CreatePaymentMethodConfiguration, PaymentMethodConfigurationShown,
    UpdatePaymentMethodConfiguration,
};
use crate::call::{Call, Command, Read};
use crate::kinds::{self, PaymentMethodConfigurationId};
use crate::paging::Paging;
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{HasParams, NoParams, Update};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method, Params};

/// Which configurations to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListPaymentMethodConfigurations {
    /// Only configurations that can be used, or cannot.
    pub active: Option<bool>,
    /// Only configurations of this Connect application; empty for those of the account itself, which all are.
    pub application: Update<Box<str>>,
    /// Only configurations newer than this one.
    pub ending_before: Option<PaymentMethodConfigurationId>,
    /// Most configurations of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only configurations older than this one.
    pub starting_after: Option<PaymentMethodConfigurationId>,
}

/// The operations on configurations.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &UPDATE, &LIST];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_payment_method_configuration",
    doc: "Makes a configuration of payment methods.",
    method: Method::Post,
    path: "/v1/payment_method_configurations",
    params: CreatePaymentMethodConfiguration::SHAPE,
    answers: Answers::One(PaymentMethodConfigurationShown::SHAPE),
    parse: |_, form| {
        Ok(Call::Write(Command::CreatePaymentMethodConfiguration(Box::new(take(
            form,
        )?))))
    },
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_payment_method_configuration",
    doc: "Retrieves a configuration of payment methods.",
    method: Method::Get,
    path: "/v1/payment_method_configurations/{configuration}",
    params: NoParams::SHAPE,
    answers: Answers::One(PaymentMethodConfigurationShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let kind = &kinds::PAYMENT_METHOD_CONFIGURATION;
        Ok(Call::Read(Read::Object(kind, path.id(0, kind)?, "configuration")))
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_payment_method_configuration",
    doc: "Changes which payment methods a configuration offers.",
    method: Method::Post,
    path: "/v1/payment_method_configurations/{configuration}",
    params: UpdatePaymentMethodConfiguration::SHAPE,
    answers: Answers::One(PaymentMethodConfigurationShown::SHAPE),
    parse: |path, form| {
        let id = path.id(0, &kinds::PAYMENT_METHOD_CONFIGURATION)?;
        Ok(Call::Write(Command::UpdatePaymentMethodConfiguration(
            id,
            take_boxed(form)?,
        )))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_payment_method_configurations",
    doc: "Lists configurations of payment methods, newest first.",
    method: Method::Get,
    path: "/v1/payment_method_configurations",
    params: ListPaymentMethodConfigurations::SHAPE,
    answers: Answers::Many(PaymentMethodConfigurationShown::SHAPE),
    parse: |_, form| {
        let asked: ListPaymentMethodConfigurations = take(form)?;
        let paging = Paging::of(
            asked.limit,
            asked.starting_after.map(|id| id.0),
            asked.ending_before.map(|id| id.0),
        );
        Ok(Call::Read(Read::Configurations(ConfigurationList {
            paging,
            active: asked.active,
            of_application: matches!(asked.application, Update::Set(_)),
        })))
    },
};
