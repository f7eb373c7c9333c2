//! Cards on their way in: the parameters that carry a number, and the checks after which only a
//! [`Card`](crate::payments::payment_method::Card) is left of it.

mod entry;
mod legacy;
mod number;
mod params;
mod sealed;
mod token_param;
mod wallet;

pub use entry::{CardDetails, EnteredCard};
pub(crate) use entry::{check_expiry, wrong_cvc};
pub use legacy::{CardWord, FlatCardParams, HeldCardNetworksShown, HeldCardShown, HeldMethod};
pub use number::{CVC_LEN_MAX, CardNumber, Cvc, NUMBER_LEN_MAX, NUMBER_LEN_MIN, NumberProblem, passes_luhn};
pub use params::{CardNetworksParams, CardParams, PreferredNetwork};
pub use sealed::{SEALED_PLAIN_LEN, SealedNumber};
pub use token_param::TokenParam;
pub(crate) use wallet::SeenCard;
pub use wallet::{ApplePayShown, GooglePayShown, TokenizationMethod, Wallet, WalletShown};
