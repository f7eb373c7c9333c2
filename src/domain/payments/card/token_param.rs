//! Tokens as parameters of other operations.

use crate::kinds;
use crate::payments::bank_account::TestBankToken;
use crate::payments::payment_method::TestCard;
use tollgate_resource::params::{Bounds, first_id};
use tollgate_resource::{Id, ParamKind, ParamValue, Problem, Step};

/// Which token a request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenParam {
    /// A stored one; used once.
    Stored(Id),
    /// A magic one of this test card, as often as one likes. In live mode there is no such token.
    Magic(&'static TestCard),
    /// A magic one of a bank account. In live mode there is no such token.
    MagicBank(&'static TestBankToken),
}

impl TokenParam {
    /// The token as requests name it.
    pub fn name(&self) -> String {
        match self {
            TokenParam::Stored(id) => id.text(&kinds::TOKEN),
            TokenParam::Magic(card) => format!("tok_{}", card.name().unwrap_or_default()),
            TokenParam::MagicBank(token) => format!("btok_{}", token.name),
        }
    }
}

impl ParamValue for TokenParam {
    const KIND: ParamKind = ParamKind::Id(&kinds::TOKEN);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        match first_id(&kinds::TOKEN, path, text) {
            Err(Problem::NoSuch { .. }) => {
                let card = text.strip_prefix("tok_").and_then(TestCard::by_name);
                let bank = || text.strip_prefix("btok_").and_then(TestBankToken::by_name);
                card.map(TokenParam::Magic)
                    .or_else(|| bank().map(TokenParam::MagicBank))
                    .ok_or(Problem::NoSuch { kind: &kinds::TOKEN })
            }
            other => other.map(TokenParam::Stored),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_a_magic_name_or_nothing() {
        let read = |text: &str| TokenParam::first(&[], text, &Bounds::DEFAULT);
        let id = Id::new(&kinds::TOKEN, 1_794_830_400_000, 3, 9);
        assert_eq!(read(&id.text(&kinds::TOKEN)), Ok(TokenParam::Stored(id)));
        let dispute = TestCard::by_name("createDispute").expect("a name of the table");
        for text in ["tok_createDispute", "tok_visa_createDispute"] {
            assert_eq!(read(text), Ok(TokenParam::Magic(dispute)), "{text}");
        }
        let bank = TestBankToken::by_name("us_verified").expect("a name of the table");
        assert_eq!(read("btok_us_verified"), Ok(TokenParam::MagicBank(bank)));
        for text in [
            "tok_us_verified",
            "btok_visa",
            "tok_card_visa",
            "tok_",
            "pm_card_visa",
            "",
        ] {
            assert_eq!(read(text), Err(Problem::NoSuch { kind: &kinds::TOKEN }), "{text}");
        }
    }
}
