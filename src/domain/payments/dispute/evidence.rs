//! What a merchant says to a dispute: text, and files that were uploaded before.

use super::enhanced::{EnhancedEvidence, EnhancedEvidenceParams, EnhancedEvidenceShown};
use crate::kinds::{self, FileId};
use tollgate_resource::params::Update;
use tollgate_resource::{Id, Params, Record, Ref, Shown};

/// Most characters of all the text together.
pub const EVIDENCE_CHARS_MAX: usize = 150_000;

macro_rules! evidence {
    (
        texts { $($text_number:literal $text:ident $text_max:literal $text_doc:literal;)* }
        files { $($file_number:literal $file:ident $file_doc:literal;)* }
    ) => {
        /// Evidence as it is kept.
        #[derive(Clone, Debug, Default, PartialEq, Record)]
        pub struct Evidence {
            $(#[doc = $text_doc] #[record($text_number)] pub $text: Option<Box<str>>,)*
            $(#[doc = $file_doc] #[record($file_number)] pub $file: Option<Id>,)*
            /// What a network asks for beyond that.
            #[record(40)]
            pub enhanced: Option<Box<EnhancedEvidence>>,
        }

        /// Evidence as it is sent: an empty string takes a part back.
        #[derive(Params, Default, Clone, Debug)]
        pub struct EvidenceParams {
            $(#[doc = $text_doc] #[param(max_len = $text_max)] pub $text: Update<Box<str>>,)*
            $(#[doc = $file_doc] pub $file: Update<FileId>,)*
            /// What a network asks for beyond that.
            pub enhanced_evidence: Update<EnhancedEvidenceParams>,
        }

        /// What evidence shows.
        #[derive(Shown)]
        pub struct EvidenceShown<'a> {
            $(#[doc = $text_doc] pub $text: Option<&'a str>,)*
            $(#[doc = $file_doc] #[shown(expand)] pub $file: Option<Ref>,)*
            /// What a network asks for beyond that.
            pub enhanced_evidence: EnhancedEvidenceShown<'a>,
        }

        impl Evidence {
            /// Takes over what was sent.
            pub(super) fn update(&mut self, sent: &EvidenceParams) {
                $(sent.$text.clone().apply_to(&mut self.$text);)*
                $(file(&sent.$file).apply_to(&mut self.$file);)*
                match &sent.enhanced_evidence {
                    Update::Keep => {}
                    Update::Clear => self.enhanced = None,
                    Update::Set(sent) => self.enhanced.get_or_insert_default().update(sent),
                }
            }

            /// Characters of all the text together.
            pub fn chars(&self) -> usize {
                let count = |text: &Option<Box<str>>| text.as_deref().map_or(0, |text| text.chars().count());
                0 $(+ count(&self.$text))*
            }
        }

        impl EvidenceParams {
            /// The files that are named, each with its parameter.
            pub(super) fn files(&self) -> Vec<(&'static str, Id)> {
                let named = [$((concat!("evidence[", stringify!($file), "]"), &self.$file),)*];
                named.into_iter().filter_map(|(param, sent)| match sent {
                    Update::Set(file) => Some((param, file.0)),
                    Update::Keep | Update::Clear => None,
                }).collect()
            }
        }

        impl<'a> EvidenceShown<'a> {
            /// What `evidence` shows.
            pub(super) fn of(evidence: &'a Evidence) -> Self {
                EvidenceShown {
                    $($text: evidence.$text.as_deref(),)*
                    $($file: evidence.$file.map(|id| Ref { kind: &kinds::FILE, id }),)*
                    enhanced_evidence: EnhancedEvidenceShown::of(evidence.enhanced.as_deref()),
                }
            }
        }
    };
}

evidence! {
    texts {
        1 access_activity_log 20000 "Records of how the customer used what they bought.";
        2 billing_address 5000 "Billing address the customer gave.";
        3 cancellation_policy_disclosure 20000 "How and when the customer was shown the cancellation policy.";
        4 cancellation_rebuttal 20000 "Why a subscription was not cancelled.";
        5 customer_email_address 5000 "The customer's email address.";
        6 customer_name 5000 "The customer's name.";
        7 customer_purchase_ip 5000 "The address the customer bought from on the internet.";
        8 duplicate_charge_explanation 20000 "How this payment differs from the one it is said to repeat.";
        9 duplicate_charge_id 5000 "Id of the charge that this one is said to repeat.";
        10 product_description 20000 "What was bought.";
        11 refund_policy_disclosure 20000 "How and when the customer was shown the refund policy.";
        12 refund_refusal_explanation 20000 "Why the customer is not owed a refund.";
        13 service_date 5000 "When the service began, as people write it.";
        14 shipping_address 5000 "Where the goods were sent.";
        15 shipping_carrier 5000 "Who carried them.";
        16 shipping_date 5000 "When they were sent, as people write it.";
        17 shipping_tracking_number 5000 "By which numbers they can be tracked.";
        18 uncategorized_text 20000 "Anything else. In test mode `winning_evidence`, `losing_evidence` and `escalate_inquiry_evidence` decide the dispute.";
    }
    files {
        20 cancellation_policy "The cancellation policy, as a file.";
        21 customer_communication "Messages from the customer, as a file.";
        22 customer_signature "The customer's signature, as a file.";
        23 duplicate_charge_documentation "Papers of the charge that this one is said to repeat, as a file.";
        24 receipt "The receipt, as a file.";
        25 refund_policy "The refund policy, as a file.";
        26 service_documentation "Proof that the service was given, as a file.";
        27 shipping_documentation "Proof that the goods were sent, as a file.";
        28 uncategorized_file "Anything else, as a file.";
    }
}

fn file(sent: &Update<FileId>) -> Update<Id> {
    match sent {
        Update::Keep => Update::Keep,
        Update::Clear => Update::Clear,
        Update::Set(file) => Update::Set(file.0),
    }
}
