//! Every `code` the domain answers with. Codes are public: one is never renamed or used for something else.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $code;)*
        /// All of them, in alphabetical order.
        pub const ALL: &[&str] = &[$($code),*];
    };
}

codes! {
    /// The bank account is closed.
    ACCOUNT_CLOSED = "account_closed";
    /// The number of the bank account is none.
    ACCOUNT_NUMBER_INVALID = "account_number_invalid";
    /// An amount above what is allowed, or above what can be captured.
    AMOUNT_TOO_LARGE = "amount_too_large";
    /// An amount below the currency's minimum.
    AMOUNT_TOO_SMALL = "amount_too_small";
    /// The cardholder must prove who they are.
    AUTHENTICATION_REQUIRED = "authentication_required";
    /// The customer has the bank account already.
    BANK_ACCOUNT_EXISTS = "bank_account_exists";
    /// The bank account is not verified.
    BANK_ACCOUNT_UNVERIFIED = "bank_account_unverified";
    /// The bank account was not verified.
    BANK_ACCOUNT_VERIFICATION_FAILED = "bank_account_verification_failed";
    /// The bank refused the card.
    CARD_DECLINED = "card_declined";
    /// A hold that is captured already.
    CHARGE_ALREADY_CAPTURED = "charge_already_captured";
    /// Nothing is left to refund.
    CHARGE_ALREADY_REFUNDED = "charge_already_refunded";
    /// A dispute has taken the charge's money.
    CHARGE_DISPUTED = "charge_disputed";
    /// More than one debit may take.
    CHARGE_EXCEEDS_SOURCE_LIMIT = "charge_exceeds_source_limit";
    /// More than the debits of a week may take.
    CHARGE_EXCEEDS_WEEKLY_LIMIT = "charge_exceeds_weekly_limit";
    /// A hold that was not captured in time.
    CHARGE_EXPIRED_FOR_CAPTURE = "charge_expired_for_capture";
    /// The confirmation token was used, or is too old.
    CONFIRMATION_TOKEN_UNUSABLE = "confirmation_token_unusable";
    /// The holder of the bank account did not agree to the debit.
    DEBIT_NOT_AUTHORIZED = "debit_not_authorized";
    /// Text that is no email address.
    EMAIL_INVALID = "email_invalid";
    /// The card's date has passed.
    EXPIRED_CARD = "expired_card";
    /// The bank could not process the debit.
    GENERIC_COULD_NOT_PROCESS = "generic_could_not_process";
    /// The card's security code is wrong.
    INCORRECT_CVC = "incorrect_cvc";
    /// The card number is not one.
    INCORRECT_NUMBER = "incorrect_number";
    /// The postal code does not fit the card.
    INCORRECT_ZIP = "incorrect_zip";
    /// Not enough money on the bank account.
    INSUFFICIENT_FUNDS = "insufficient_funds";
    /// Text that is no IBAN.
    INVALID_BANK_ACCOUNT_IBAN = "invalid_bank_account_iban";
    /// An amount that the currency does not have.
    INVALID_CHARGE_AMOUNT = "invalid_charge_amount";
    /// The bank account is kept in another currency.
    INVALID_CURRENCY = "invalid_currency";
    /// The security code has not the right number of digits.
    INVALID_CVC = "invalid_cvc";
    /// The month of expiry is none, or has passed.
    INVALID_EXPIRY_MONTH = "invalid_expiry_month";
    /// The year of expiry has passed, or is too far away.
    INVALID_EXPIRY_YEAR = "invalid_expiry_year";
    /// The card number is not made of digits.
    INVALID_NUMBER = "invalid_number";
    /// Another request works on the object.
    LOCK_TIMEOUT = "lock_timeout";
    /// The customer has nothing that could be charged.
    MISSING = "missing";
    /// There is no such bank account.
    NO_ACCOUNT = "no_account";
    /// An integer out of bounds.
    PARAMETER_INVALID_INTEGER = "parameter_invalid_integer";
    /// Text that a parameter does not take.
    PARAMETER_INVALID_STRING = "parameter_invalid_string";
    /// A parameter that is needed here is missing.
    PARAMETER_MISSING = "parameter_missing";
    /// The cardholder did not prove who they are.
    PAYMENT_INTENT_AUTHENTICATION_FAILURE = "payment_intent_authentication_failure";
    /// The intent cannot be paid with that type of payment method.
    PAYMENT_INTENT_INCOMPATIBLE_PAYMENT_METHOD = "payment_intent_incompatible_payment_method";
    /// A parameter that does not fit the payment intent.
    PAYMENT_INTENT_INVALID_PARAMETER = "payment_intent_invalid_parameter";
    /// The payer would be sent away without a way back.
    PAYMENT_INTENT_REDIRECT_CONFIRMATION_WITHOUT_RETURN_URL =
        "payment_intent_redirect_confirmation_without_return_url";
    /// The intent's state does not allow it.
    PAYMENT_INTENT_UNEXPECTED_STATE = "payment_intent_unexpected_state";
    /// Deposits did not arrive on the bank account.
    PAYMENT_METHOD_MICRODEPOSIT_FAILED = "payment_method_microdeposit_failed";
    /// There must be two amounts.
    PAYMENT_METHOD_MICRODEPOSIT_VERIFICATION_AMOUNTS_INVALID = "payment_method_microdeposit_verification_amounts_invalid";
    /// Other amounts were deposited.
    PAYMENT_METHOD_MICRODEPOSIT_VERIFICATION_AMOUNTS_MISMATCH = "payment_method_microdeposit_verification_amounts_mismatch";
    /// Verification was tried too often.
    PAYMENT_METHOD_MICRODEPOSIT_VERIFICATION_ATTEMPTS_EXCEEDED = "payment_method_microdeposit_verification_attempts_exceeded";
    /// The deposit carries another code.
    PAYMENT_METHOD_MICRODEPOSIT_VERIFICATION_DESCRIPTOR_CODE_MISMATCH = "payment_method_microdeposit_verification_descriptor_code_mismatch";
    /// The time to verify deposits is over.
    PAYMENT_METHOD_MICRODEPOSIT_VERIFICATION_TIMEOUT = "payment_method_microdeposit_verification_timeout";
    /// A type of payment method that the account does not offer.
    PAYMENT_METHOD_NOT_AVAILABLE = "payment_method_not_available";
    /// Types of payment methods, where the version of the request has retired them.
    PAYMENT_METHOD_TYPES_NO_LONGER_SUPPORTED = "payment_method_types_no_longer_supported";
    /// The card could not be processed.
    PROCESSING_ERROR = "processing_error";
    /// The bank wants its customer to be asked.
    REFER_TO_CUSTOMER = "refer_to_customer";
    /// No such object.
    RESOURCE_MISSING = "resource_missing";
    /// The number of the bank is none.
    ROUTING_NUMBER_INVALID = "routing_number_invalid";
    /// The payer did not prove who they are.
    SETUP_INTENT_AUTHENTICATION_FAILURE = "setup_intent_authentication_failure";
    /// A parameter that does not fit the setup intent.
    SETUP_INTENT_INVALID_PARAMETER = "setup_intent_invalid_parameter";
    /// The setup intent's state does not allow it.
    SETUP_INTENT_UNEXPECTED_STATE = "setup_intent_unexpected_state";
    /// A number that is none of its type of tax id.
    TAX_ID_INVALID = "tax_id_invalid";
    /// The token was used before.
    TOKEN_ALREADY_USED = "token_already_used";
    /// Text that is no URL.
    URL_INVALID = "url_invalid";
}
