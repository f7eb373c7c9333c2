//! Cards that came out of a wallet on the payer's device: the wallet gives a number of its own in place of the card's.

use crate::payments::payment_method::{Card, Details, Last4};
use tollgate_resource::{Names, Record, Shown};

/// Wallets that cards come out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum Wallet {
    /// Apple's.
    #[record(1)]
    ApplePay,
    /// Google's.
    #[record(2)]
    GooglePay,
}

/// How a card of a wallet was made a token of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum TokenizationMethod {
    /// By Google's wallet.
    AndroidPay,
    /// By Apple's wallet.
    ApplePay,
}

/// The wallet a card came out of.
#[derive(Shown)]
pub struct WalletShown {
    /// What is known of Apple's wallet.
    #[shown(omit)]
    pub apple_pay: Option<ApplePayShown>,
    /// Last four digits of the number that the wallet stands for.
    pub dynamic_last4: Option<Last4>,
    /// What is known of Google's wallet: nothing.
    #[shown(omit)]
    pub google_pay: Option<GooglePayShown>,
    /// Which wallet it is.
    #[shown(name = "type")]
    pub kind: Wallet,
}

/// What is known of Apple's wallet.
#[derive(Shown)]
pub struct ApplePayShown {
    /// Always `apple_pay`.
    #[shown(name = "type")]
    pub kind: Wallet,
}

/// What is known of Google's wallet.
#[derive(Shown)]
pub struct GooglePayShown {}

/// A card as a wallet lets it be seen.
pub(crate) struct SeenCard {
    /// The last four digits: of the wallet's own number, if there is one.
    pub(crate) last4: Last4,
    /// The last four digits of the number a wallet stands for.
    pub(crate) dynamic_last4: Option<Last4>,
    /// The wallet.
    pub(crate) wallet: Option<Wallet>,
}

impl From<TokenizationMethod> for Wallet {
    fn from(method: TokenizationMethod) -> Self {
        match method {
            TokenizationMethod::AndroidPay => Wallet::GooglePay,
            TokenizationMethod::ApplePay => Wallet::ApplePay,
        }
    }
}

impl Wallet {
    fn tokenization_method(self) -> TokenizationMethod {
        match self {
            Wallet::ApplePay => TokenizationMethod::ApplePay,
            Wallet::GooglePay => TokenizationMethod::AndroidPay,
        }
    }
}

impl SeenCard {
    /// What is seen of `card`, with what was said besides.
    pub(crate) fn of(card: &Card, details: Option<&Details>) -> SeenCard {
        let last4 = card.last4();
        let wallet = details.and_then(|details| details.wallet);
        SeenCard {
            last4: if wallet.is_some() { Last4::OF_WALLETS } else { last4 },
            dynamic_last4: wallet.map(|_| last4),
            wallet,
        }
    }

    /// The wallet, as payment methods and charges show it.
    pub(crate) fn wallet_shown(&self) -> Option<WalletShown> {
        self.wallet.map(|wallet| WalletShown {
            apple_pay: (wallet == Wallet::ApplePay).then_some(ApplePayShown { kind: wallet }),
            dynamic_last4: self.dynamic_last4,
            google_pay: (wallet == Wallet::GooglePay).then_some(GooglePayShown {}),
            kind: wallet,
        })
    }

    /// How it was made a token of, as older objects show it.
    pub(crate) fn tokenization_method(&self) -> Option<TokenizationMethod> {
        self.wallet.map(Wallet::tokenization_method)
    }
}
