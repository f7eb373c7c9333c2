//! Everything with a number or name that outlives a release: fields and variants of records, ledger accounts,
//! currencies, cards, declines, and the members of what is shown, against `golden.txt`. (Operations and parameters:
//! `tests/golden_names.rs`.)
//!
//! A line may be added to that file. A line that changes or goes breaks data or programs out there: give the new thing a
//! new number or name instead. When the test fails it prints the lines as they are now.

use crate::access::{Level, Permission, Resource};
use crate::account::{AccountRow, Profile};
use crate::account_settings::{
    AccountSettings, Business, DisputeFee, PayoutInterval, PayoutSchedule, RadarRules, RawCards, Weekday,
};
use crate::acquirer::{Ask, Asked, AttemptId, CardMoney, NetworkAnswer, NetworkCall, Said};
use crate::address::{Address, Shipping};
use crate::api;
use crate::balance::balance_transaction::{BalanceTransaction, BalanceTransactionType};
use crate::books::{Entry, EntryCause, LedgerAccount, LineRow, Posting};
use crate::customers::customer::{
    AmountTaxDisplay, CustomField, Customer, CustomerMore, InvoiceRendering, InvoiceSettings, TaxExempt,
};
use crate::customers::customer_balance_transaction::{CustomerBalanceTransaction, CustomerBalanceTransactionType};
use crate::customers::ephemeral_key::EphemeralKey;
use crate::customers::source::{SourceData, SourceUsage};
use crate::customers::tax_id::{TaxId, Verification};
use crate::directory::{
    ApiKey, ApiKeyHash, ApiKeyKind, DirectoryFact, DirectoryFacts, DirectoryProblem, KeyUse, SandboxKeys,
};
use crate::events::{EventFact, EventType, EventVersion};
use crate::facts::{Claim, Facts, Outcome, OutcomeResult, Timer};
use crate::files::file::{File, FileContents, FilePurpose, FileType};
use crate::files::file_link::FileLink;
use crate::inputs::Network;
use crate::kinds;
use crate::money::{Currency, Money};
use crate::object::Object;
use crate::payments::attempt::{Attempt, Phase};
use crate::payments::authentication::{
    Action, Claims, CommerceIndicator, ExemptionIndicator, ImportedAuthentication, ThreeDSecureRequest,
    ThreeDSecureResult, ThreeDSecureVersion, TransactionStatus,
};
use crate::payments::bank_account::{
    AccountType, BankAccount, BankScheme, Deposits, HolderType, OlderData, Ownership, TestAccount, VerificationMethod,
};
use crate::payments::card::{HeldMethod, SealedNumber, Wallet};
use crate::payments::charge::{Charge, ChargeState, Concerns, OwnAttempts, UserReport};
use crate::payments::confirmation_token::{Choice, ConfirmationToken};
use crate::payments::dispute::{
    Dispute, DisputeCause, DisputeState, DisputedTransaction, EnhancedEvidence, Evidence, MerchandiseOrServices,
    PendingVerdict, PriorTransaction, TransactionAddress, Verdict,
};
use crate::payments::mandate::{Acceptance, BankMandate, Mandate, MandateScope};
use crate::payments::payment_domain::RegisteredDomain;
use crate::payments::payment_intent::{
    AllowRedirects, AmountDetails, AmountError, AmountLineItem, Availability, BankOptions, CancellationReason,
    CaptureMethod, CardFutureUsage, CardNetwork, ConfirmationMethod, FutureUsage, ItemCategory, LastError,
    LineItemOptions, Particulars, PaymentCardOptions, PaymentDetails, PaymentIntent, RedirectOptions, Status,
};
use crate::payments::payment_method::{
    AllowRedisplay, BillingDetails, Card, CardBrand, CheckResult, Details, Instrument, PaymentMethod,
    PaymentMethodType, SeenMethod, TestCard, UnlistedNumber, declines,
};
use crate::payments::payment_method_configuration::{ConfiguredMethod, PaymentMethodConfiguration};
use crate::payments::redirect_method::{Dob, RedirectMethod};
use crate::payments::refund::{Refund, RefundFailure, RefundReason, RefundState};
use crate::payments::setup_attempt::{AttemptState, SetupAttempt};
use crate::payments::setup_intent::{
    AmountType, CardOptions, Extras, FlowDirection, MandateInterval, MandateOptions, SetupCancellationReason,
    SetupError, SetupFailure, SetupIntent, Status as SetupStatus, SupportedType,
};
use crate::payments::token::{Token, TokenContent};
use crate::radar::early_fraud_warning::EarlyFraudWarning;
use crate::radar::review::{Review, ReviewEnd};
use crate::radar::{BlockRule, Risk};
use crate::reject::{ErrorType, Reject, codes};
use crate::webhooks::event_destination::{Destination, EventPayload, IncludedParts};
use crate::webhooks::webhook_endpoint::{
    Delivery, DeliveryOrder, DisabledReason, EndpointSecret, EndpointState, SealedSecret, WebhookEndpoint,
};
use tollgate_resource::{Record, Shape, ValueKind};

/// `Name: 1 first, 2 second` for each record, in the order of the list.
macro_rules! records {
    ($($record:ty),* $(,)?) => {
        [$((<$record>::NAME, <$record>::FIELDS)),*]
    };
}

fn record_lines() -> Vec<String> {
    let records = records![
        Facts,
        Timer,
        Claim,
        Outcome,
        OutcomeResult,
        Object,
        EventFact,
        EventType,
        EventVersion,
        Entry,
        EntryCause,
        Posting,
        AccountRow,
        LineRow,
        Money,
        PaymentIntent,
        Status,
        LastError,
        Attempt,
        Phase,
        CaptureMethod,
        ConfirmationMethod,
        AllowRedirects,
        FutureUsage,
        CancellationReason,
        Particulars,
        PaymentDetails,
        PaymentCardOptions,
        Availability,
        CardFutureUsage,
        CardNetwork,
        AmountDetails,
        AmountError,
        AmountLineItem,
        LineItemOptions,
        ItemCategory,
        ConfiguredMethod,
        RedirectMethod,
        Dob,
        PaymentMethodConfiguration,
        RegisteredDomain,
        WebhookEndpoint,
        Destination,
        EventPayload,
        IncludedParts,
        EndpointState,
        DisabledReason,
        EndpointSecret,
        SealedSecret,
        Delivery,
        DeliveryOrder,
        Action,
        ThreeDSecureRequest,
        ThreeDSecureResult,
        Claims,
        ImportedAuthentication,
        Wallet,
        ThreeDSecureVersion,
        CommerceIndicator,
        ExemptionIndicator,
        TransactionStatus,
        Charge,
        ChargeState,
        OwnAttempts,
        Concerns,
        Risk,
        BlockRule,
        File,
        FileContents,
        FileType,
        FilePurpose,
        FileLink,
        Review,
        ReviewEnd,
        EarlyFraudWarning,
        UserReport,
        Dispute,
        DisputeCause,
        DisputeState,
        PendingVerdict,
        Verdict,
        Evidence,
        EnhancedEvidence,
        DisputedTransaction,
        PriorTransaction,
        TransactionAddress,
        MerchandiseOrServices,
        Refund,
        RefundState,
        RefundFailure,
        RefundReason,
        Customer,
        TaxExempt,
        CustomerMore,
        InvoiceSettings,
        CustomField,
        InvoiceRendering,
        AmountTaxDisplay,
        CustomerBalanceTransaction,
        CustomerBalanceTransactionType,
        TaxId,
        SourceData,
        SourceUsage,
        Verification,
        Address,
        Shipping,
        BalanceTransaction,
        BalanceTransactionType,
        PaymentMethod,
        PaymentMethodType,
        Instrument,
        BankAccount,
        OlderData,
        BankScheme,
        HolderType,
        AccountType,
        Ownership,
        VerificationMethod,
        Deposits,
        BankMandate,
        BankOptions,
        RedirectOptions,
        Details,
        SeenMethod,
        BillingDetails,
        AllowRedisplay,
        ConfirmationToken,
        Choice,
        Token,
        TokenContent,
        HeldMethod,
        SealedNumber,
        Card,
        UnlistedNumber,
        CheckResult,
        CardBrand,
        AttemptId,
        NetworkCall,
        Ask,
        CardMoney,
        NetworkAnswer,
        Asked,
        Said,
        Network,
        Reject,
        ErrorType,
        DirectoryFacts,
        DirectoryFact,
        DirectoryProblem,
        SandboxKeys,
        ApiKey,
        ApiKeyHash,
        ApiKeyKind,
        KeyUse,
        EphemeralKey,
        Permission,
        Resource,
        Level,
        Profile,
        SetupIntent,
        SetupStatus,
        Extras,
        FlowDirection,
        CardOptions,
        MandateOptions,
        AmountType,
        MandateInterval,
        SupportedType,
        SetupError,
        SetupFailure,
        SetupCancellationReason,
        SetupAttempt,
        AttemptState,
        Mandate,
        MandateScope,
        Acceptance,
        AccountSettings,
        Business,
        crate::account::EarlierVersion,
        RawCards,
        RadarRules,
        PayoutSchedule,
        PayoutInterval,
        Weekday,
        DisputeFee,
    ];
    let line = |(name, fields): (&str, &[(u32, &str)])| {
        let fields: Vec<String> = fields.iter().map(|(number, name)| format!("{number} {name}")).collect();
        format!("record {name}: {}", fields.join(", "))
    };
    records.into_iter().map(line).collect()
}

fn numbered_lines() -> Vec<String> {
    let kinds = kinds::ALL
        .iter()
        .map(|kind| format!("kind {}: {} {}", kind.number, kind.prefix, kind.object));
    let accounts = LedgerAccount::ALL
        .iter()
        .map(|account| format!("ledger account {}: {account}", account.number()));
    let currencies = Currency::all().map(|it| format!("currency {}: {it} {}", it.number(), it.exponent()));
    let banks = TestAccount::all().map(|row| format!("test account {}: {}", row.number, row.names.join(" ")));
    let cards = TestCard::all().map(|card| format!("card {}: {}", card.number, card.names.join(" ")));
    let declines = declines::ALL
        .iter()
        .map(|it| format!("decline {}: {} {}", it.number, it.code, it.decline_code.unwrap_or("-")));
    let codes = codes::ALL.iter().map(|code| format!("code {code}"));
    kinds
        .chain(accounts)
        .chain(currencies)
        .chain(cards)
        .chain(banks)
        .chain(declines)
        .chain(codes)
        .collect()
}

/// One line per member that an answer may have, with its path.
fn shown_lines() -> Vec<String> {
    let mut out = Vec::new();
    let shapes = kinds::ALL
        .iter()
        .filter_map(|kind| api::shape_of(kind))
        .chain([api::BALANCE_SHAPE]);
    for shape in shapes {
        let object = shape.object.expect("what has a kind names it");
        members(shape, object, &mut out);
    }
    out
}

fn members(shape: &Shape, path: &str, out: &mut Vec<String>) {
    for field in shape.fields {
        let path = format!("{path}.{}", field.name);
        let mut line = format!("shown {path}");
        for (word, said) in [
            ("null", field.nullable),
            ("omitted", field.omit),
            ("expandable", field.expand),
        ] {
            if said {
                line.push(' ');
                line.push_str(word);
            }
        }
        if field.revision != 1 {
            line.push_str(&format!(" revision {}", field.revision));
        }
        out.push(line);
        let mut kind = &field.kind;
        while let ValueKind::List(of) = kind {
            kind = of;
        }
        match kind {
            ValueKind::Node(inner) => members(inner, &path, out),
            ValueKind::Names(words) => out.push(format!("words {path}: {}", words.join(" "))),
            _ => {}
        }
    }
}

#[test]
fn numbers_and_names_stay_what_they_were() {
    let now = [record_lines(), numbered_lines(), shown_lines()].concat();
    let golden: Vec<&str> = include_str!("golden.txt").lines().collect();
    let gone: Vec<&&str> = golden
        .iter()
        .filter(|line| !now.iter().any(|known| known == **line))
        .collect();
    let new: Vec<&String> = now.iter().filter(|line| !golden.contains(&line.as_str())).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "gone from golden.txt (never allowed after a release):\n{gone:#?}\nnot in golden.txt yet:\n{new:#?}\nwhole:\n{}",
        now.join("\n")
    );
}

#[test]
fn shown_members_are_described() {
    // The shapes are what documents and SDKs are made from; a member without a description helps nobody.
    for kind in kinds::ALL {
        let Some(shape) = api::shape_of(kind) else { continue };
        assert!(!shape.doc.is_empty(), "{} is not described", shape.name);
        for field in shape.fields {
            assert!(!field.doc.is_empty(), "{}.{} is not described", shape.name, field.name);
        }
    }
}
