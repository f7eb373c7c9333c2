//! How events are sent to an endpoint: what Tollgate lets merchants choose, and the public API does not.

use crate::decision::Stop;
use crate::reject::Reject;
use tollgate_resource::params::Update;
use tollgate_resource::{Names, Params, Record};

/// Most failed attempts after which an event is tried again.
pub const RETRIES_MAX: usize = 11;
/// Longest time that all retries of an event may take together, in seconds: seven days.
pub const RETRY_TIME_MAX_S: i64 = 7 * 24 * 60 * 60;

/// How events are sent to an endpoint, as far as it was said; the node's settings decide the rest.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct Delivery {
    /// What may overtake what.
    #[record(1)]
    pub order: Option<DeliveryOrder>,
    /// How long an attempt may take, the answer's body included, in milliseconds.
    #[record(2)]
    pub timeout_ms: Option<u32>,
    /// Most attempts a second.
    #[record(3)]
    pub rate_per_second: Option<u32>,
    /// Seconds from each failed attempt to the next; empty for the node's schedule.
    #[record(4)]
    pub retry_delays_s: Vec<u32>,
    /// Whether the headers of the Standard Webhooks convention are sent besides.
    #[record(5)]
    pub standard_headers: bool,
}

/// What may overtake what on the way to an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Names, Record)]
pub enum DeliveryOrder {
    /// Events about one object go one after the other, until one fails: it is tried again later, and the next goes.
    #[default]
    #[record(1)]
    FifoWhileHealthy,
    /// Events about one object go one after the other; one that fails holds the others about that object back.
    #[record(2)]
    Strict,
    /// Any event may overtake any other.
    #[record(3)]
    None,
}

/// How events are to be sent, as a request says it.
#[derive(Params, Default, Clone, Debug)]
pub struct DeliveryParams {
    /// What may overtake what: `fifo_while_healthy`, `strict` or `none`.
    pub order: Option<DeliveryOrder>,
    /// Most attempts a second; empty for no limit.
    #[param(min = 1, max = 10_000)]
    pub rate_per_second: Update<i64>,
    /// Seconds from each failed attempt to the next, at most 11 of them and seven days together; empty for the usual ones.
    #[param(min = 1, max = 604_800, max_items = 11)]
    pub retry_delays: Update<Vec<i64>>,
    /// Whether the headers of the Standard Webhooks convention are sent besides.
    pub standard_headers: Option<bool>,
    /// How long an attempt may take, in milliseconds; empty for the usual time.
    #[param(min = 1_000, max = 30_000)]
    pub timeout_ms: Update<i64>,
}

impl Delivery {
    /// Where nothing was said.
    pub const DEFAULT: Delivery = Delivery {
        order: None,
        timeout_ms: None,
        rate_per_second: None,
        retry_delays_s: Vec::new(),
        standard_headers: false,
    };

    /// What a request says, on top of what was said before.
    ///
    /// # Errors
    /// Retries that take too long together.
    pub(crate) fn changed(&self, asked: &DeliveryParams) -> Result<Delivery, Stop> {
        let mut delivery = self.clone();
        delivery.order = asked.order.or(delivery.order);
        delivery.standard_headers = asked.standard_headers.unwrap_or(delivery.standard_headers);
        // The form has held each number against its bounds.
        let number = |given: i64| u32::try_from(given).expect("bounds are far below");
        match asked.timeout_ms {
            Update::Keep => {}
            Update::Clear => delivery.timeout_ms = None,
            Update::Set(given) => delivery.timeout_ms = Some(number(given)),
        }
        match asked.rate_per_second {
            Update::Keep => {}
            Update::Clear => delivery.rate_per_second = None,
            Update::Set(given) => delivery.rate_per_second = Some(number(given)),
        }
        match &asked.retry_delays {
            Update::Keep => {}
            Update::Clear => delivery.retry_delays_s.clear(),
            Update::Set(delays) if delays.iter().sum::<i64>() > RETRY_TIME_MAX_S => {
                let message = format!(
                    "The retries of an event may take {RETRY_TIME_MAX_S} seconds together, which are seven days, and these \
                     take longer."
                );
                return Err(Reject::invalid(None, message)
                    .with_param("delivery[retry_delays]")
                    .into());
            }
            Update::Set(delays) => delivery.retry_delays_s = delays.iter().copied().map(number).collect(),
        }
        Ok(delivery)
    }
}
