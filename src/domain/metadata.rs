//! The rules of metadata, which are the same for every object.

use crate::decision::Stop;
use crate::reject::Reject;
use tollgate_resource::metadata::{METADATA_KEY_LEN_MAX, METADATA_KEYS_MAX, METADATA_VALUE_LEN_MAX};
use tollgate_resource::{Metadata, MetadataUpdate};

/// Merges what a request sends into stored pairs: an empty value removes its key, `metadata=` removes all.
///
/// # Errors
/// A key or value that is too long, or too many pairs afterwards; then `stored` is unchanged.
pub(crate) fn merge(stored: &mut Metadata, update: &MetadataUpdate) -> Result<(), Stop> {
    for (key, value) in &update.pairs {
        let key_len = key.chars().count();
        if key_len > METADATA_KEY_LEN_MAX {
            return Err(refused(format!(
                "Metadata keys can have up to {METADATA_KEY_LEN_MAX} characters, but you passed in a key that is \
                     {key_len} characters. Invalid key: {key}"
            )));
        }
        let value_len = value.chars().count();
        if value_len > METADATA_VALUE_LEN_MAX {
            return Err(refused(format!(
                "Metadata values can have up to {METADATA_VALUE_LEN_MAX} characters, but you passed in a value that \
                     is {value_len} characters. Invalid value: {value}"
            )));
        }
    }
    let mut merged = stored.clone();
    merged.apply(update);
    if merged.len() > METADATA_KEYS_MAX {
        return Err(refused(format!(
            "You can have up to {METADATA_KEYS_MAX} metadata keys, but this would make {}. Remove keys by setting \
                 them to an empty string.",
            merged.len()
        )));
    }
    *stored = merged;
    Ok(())
}

fn refused(message: String) -> Stop {
    Reject::invalid(None, message).with_param("metadata").into()
}
