//! What requests say of ways to pay on another company's page.

use super::Dob;
use tollgate_resource::{Names, Params};

/// Banks of EPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum EpsBank {
    ArzteUndApothekerBank,
    AustrianAnadiBankAg,
    BankAustria,
    BankhausCarlSpangler,
    BankhausSchelhammerUndSchatteraAg,
    BawagPskAg,
    BksBankAg,
    BrullKallmusBankAg,
    BtvVierLanderBank,
    CapitalBankGraweGruppeAg,
    DeutscheBankAg,
    Dolomitenbank,
    EasybankAg,
    ErsteBankUndSparkassen,
    HypoAlpeadriabankInternationalAg,
    HypoBankBurgenlandAktiengesellschaft,
    HypoNoeLbFurNiederosterreichUWien,
    HypoOberosterreichSalzburgSteiermark,
    HypoTirolBankAg,
    HypoVorarlbergBankAg,
    MarchfelderBank,
    OberbankAg,
    RaiffeisenBankengruppeOsterreich,
    SchoellerbankAg,
    SpardaBankWien,
    VolksbankGruppe,
    VolkskreditbankAg,
    VrBankBraunau,
}

/// Banks of iDEAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum IdealBank {
    AbnAmro,
    Adyen,
    AsnBank,
    Bunq,
    Buut,
    Finom,
    Handelsbanken,
    Ing,
    Knab,
    Mollie,
    Moneyou,
    N26,
    Nn,
    Rabobank,
    Regiobank,
    Revolut,
    SnsBank,
    TriodosBank,
    VanLanschot,
    Yoursafe,
}

/// Banks of Przelewy24.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum P24Bank {
    AliorBank,
    BankMillennium,
    BankNowyBfgSa,
    BankPekaoSa,
    BankiSpbdzielcze,
    Blik,
    BnpParibas,
    Boz,
    CitiHandlowy,
    CreditAgricole,
    Envelobank,
    EtransferPocztowy24,
    GetinBank,
    Ideabank,
    Ing,
    Inteligo,
    MbankMtransfer,
    NestPrzelew,
    NoblePay,
    PbacZIpko,
    PlusBank,
    SantanderPrzelew24,
    TmobileUsbugiBankowe,
    ToyotaBank,
    Velobank,
    VolkswagenBank,
}

/// A bank in Austria.
#[derive(Params, Default, Clone, Debug)]
pub struct EpsParams {
    /// Which.
    pub bank: Option<EpsBank>,
}

/// A bank in the Netherlands.
#[derive(Params, Default, Clone, Debug)]
pub struct IdealParams {
    /// Which.
    pub bank: Option<IdealBank>,
}

/// A bank in Poland.
#[derive(Params, Default, Clone, Debug)]
pub struct P24Params {
    /// Which.
    pub bank: Option<P24Bank>,
}

/// What Klarna is told.
#[derive(Params, Default, Clone, Debug)]
pub struct KlarnaParams {
    /// When the payer was born.
    pub dob: Option<DobParams>,
}

/// A date of birth.
#[derive(Params, Default, Clone, Debug)]
pub struct DobParams {
    /// Day of the month, from 1.
    #[param(required, min = 1, max = 31)]
    pub day: i64,
    /// Month, from 1.
    #[param(required, min = 1, max = 12)]
    pub month: i64,
    /// Year, four digits.
    #[param(required, min = 1900, max = 9999)]
    pub year: i64,
}

impl DobParams {
    /// The date.
    pub(crate) fn date(&self) -> Dob {
        let small = |value: i64| u8::try_from(value).expect("the form bounds days and months");
        Dob {
            day: small(self.day),
            month: small(self.month),
            year: u16::try_from(self.year).expect("the form bounds years"),
        }
    }
}
