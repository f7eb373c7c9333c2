//! Files that merchants upload, and addresses under which they can be read without a key. What is kept here is what is
//! known of a file; its bytes lie beside the journal, under their digest.

pub mod file;
pub mod file_link;
