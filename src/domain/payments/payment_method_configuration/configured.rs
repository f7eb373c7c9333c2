//! What a configuration says something of: types of payment methods, and the forms in which cards come.

use crate::payments::payment_method::PaymentMethodType;
use tollgate_resource::{Names, Record};

macro_rules! method_types {
    ($($variant:ident $number:tt;)*) => {
        /// Everything that the API has a preference for. Numbers are stored and never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Names, Record)]
        #[expect(missing_docs, reason = "the names are those of the API")]
        pub enum ConfiguredMethod {
            $(#[record($number)] $variant,)*
        }
    };
}

method_types! {
    AcssDebit 2;
    Affirm 3;
    AfterpayClearpay 4;
    Alipay 5;
    Alma 6;
    AmazonPay 7;
    ApplePay 56;
    AuBecsDebit 8;
    BacsDebit 9;
    Bancontact 10;
    Billie 11;
    Bizum 12;
    Blik 13;
    Boleto 14;
    Card 1;
    CartesBancaires 58;
    Cashapp 15;
    Crypto 16;
    CustomerBalance 18;
    Eps 19;
    Fpx 20;
    Giropay 21;
    GooglePay 57;
    Grabpay 22;
    Ideal 23;
    Jcb 59;
    KakaoPay 24;
    Klarna 25;
    Konbini 26;
    KrCard 27;
    Link 28;
    MbWay 29;
    Mobilepay 30;
    Multibanco 31;
    NaverPay 32;
    NzBankAccount 33;
    Oxxo 34;
    P24 35;
    PayByBank 36;
    Payco 37;
    Paynow 38;
    Paypal 39;
    Payto 40;
    Pix 41;
    Promptpay 42;
    RevolutPay 43;
    SamsungPay 44;
    Satispay 45;
    Scalapay 46;
    SepaDebit 47;
    Sofort 48;
    Sunbit 49;
    Swish 50;
    Twint 51;
    Upi 52;
    UsBankAccount 53;
    WechatPay 54;
    Zip 55;
}

/// What is on in an account's default configuration until that is changed: cards, also out of wallets.
const ON_BY_DEFAULT: &[ConfiguredMethod] = &[
    ConfiguredMethod::Card,
    ConfiguredMethod::ApplePay,
    ConfiguredMethod::GooglePay,
];

impl ConfiguredMethod {
    /// The type of payment method that it is; `None` for one that is not offered here, and for the forms in which cards
    /// come.
    pub fn kind(self) -> Option<PaymentMethodType> {
        PaymentMethodType::from_name(self.name())
    }

    /// Whether payments can be made by it here.
    pub fn is_available(self) -> bool {
        use ConfiguredMethod::{ApplePay, CartesBancaires, GooglePay, Jcb};
        self.kind().is_some() || matches!(self, ApplePay | CartesBancaires | GooglePay | Jcb)
    }

    /// Whether it is offered where the account says nothing.
    pub fn is_on_by_default(self) -> bool {
        ON_BY_DEFAULT.contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_by_default_is_available_and_every_type_can_be_configured() {
        assert!(ON_BY_DEFAULT.iter().all(|method| method.is_available()));
        for kind in PaymentMethodType::ALL {
            let configured = ConfiguredMethod::from_name(kind.name()).and_then(ConfiguredMethod::kind);
            assert_eq!(configured, Some(*kind));
        }
    }
}
